"""A client of a room in Python's standard library: prints what comes, one JSON text a line.

stream URL            the lines of an NDJSON stream
poll URL              the answers of a long poll, each beginning where the last one ended
post URL TYPE [KEY]   publishes what comes on stdin
"""

import json
import ssl
import sys
import urllib.parse
import urllib.request


def open_url(url, **options):
    context = ssl._create_unverified_context() if url.startswith("https:") else None
    return urllib.request.urlopen(urllib.request.Request(url, **options), context=context)


def show(line):
    sys.stdout.buffer.write(line.rstrip(b"\n") + b"\n")
    sys.stdout.buffer.flush()


def with_query(url, **more):
    parts = urllib.parse.urlsplit(url)
    query = dict(urllib.parse.parse_qsl(parts.query, keep_blank_values=True)) | more
    return parts._replace(query=urllib.parse.urlencode({k: v for k, v in query.items() if v is not None})).geturl()


def stream(url):
    with open_url(url, headers={"Accept": "application/x-ndjson"}) as response:
        for line in response:
            show(line)


def poll(url):
    wait = urllib.parse.parse_qs(urllib.parse.urlsplit(url).query).get("wait", ["20"])[0]
    url = with_query(url, wait="0")
    while True:
        with open_url(url) as response:
            answer = response.read()
        show(answer)
        url = with_query(url, since=json.loads(answer)["cursor"], wait=wait, history=None)


def post(url, content_type, *key):
    headers = {"Content-Type": content_type, **{"Idempotency-Key": one for one in key}}
    with open_url(url, data=sys.stdin.buffer.read(), headers=headers) as response:
        show(response.read())


if __name__ == "__main__":
    {"stream": stream, "poll": poll, "post": post}[sys.argv[1]](*sys.argv[2:])
