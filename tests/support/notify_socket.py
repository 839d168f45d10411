"""A service manager's notification socket (Node has no Unix datagrams): notify_socket.py PATH

PATH may begin with @ for the abstract namespace. Prints one JSON line when bound, then one for each datagram:
{"ms": monotonic milliseconds, "fields": {"READY": "1", ...}}.
"""

import json
import socket
import sys
import time

path = sys.argv[1]
receiver = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
receiver.bind("\0" + path[1:] if path.startswith("@") else path)
print(json.dumps({"ms": time.monotonic() * 1000, "fields": {}}), flush=True)
while True:
    datagram = receiver.recv(65536).decode()
    fields = dict(line.split("=", 1) for line in datagram.splitlines() if line)
    print(json.dumps({"ms": time.monotonic() * 1000, "fields": fields}), flush=True)
