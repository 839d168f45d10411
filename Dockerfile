# Three stages: build with everything, collect what the program needs to run, and an image with only that.
#   ./dev image        docker run --rm -p 8080:8080 roomcast
ARG BASE=debian:trixie-slim

FROM ${BASE} AS build
WORKDIR /src
# The packages come before the sources, so that a change of the code does not install them again.
COPY dev ./
RUN ./dev install-deps run
COPY . .
RUN ./dev build release roomcast roomcast-bench \
  && strip build/release/roomcast build/release/roomcast-bench \
  && DESTDIR=/installed cmake --install build/release --prefix /usr
# The packages that hold the shared libraries the program is linked with, whatever this release calls them.
RUN ldd /installed/usr/bin/roomcast* | awk '$3 ~ /^\// { print $3 }' | xargs -n1 realpath | xargs dpkg -S \
  | cut -d: -f1 | sort -u > /installed/packages

FROM ${BASE}
COPY --from=build /installed/packages /tmp/packages
RUN apt-get update -q \
  && xargs apt-get install -q -y --no-install-recommends ca-certificates < /tmp/packages \
  && rm -rf /var/lib/apt/lists/* /var/cache/apt/* /var/log/* /tmp/packages \
  && groupadd --gid 10001 roomcast \
  && useradd --uid 10001 --gid 10001 --no-create-home --home-dir / --shell /usr/sbin/nologin roomcast \
  && install -d -m 700 -o roomcast -g roomcast /var/lib/roomcast
COPY --from=build /installed/usr/bin/ /usr/bin/
# For durable history, with a volume there: -v roomcast:/var/lib/roomcast -e ROOMCAST_STORE_PATH=/var/lib/roomcast
# By number: Kubernetes cannot tell that a name is not root (runAsNonRoot).
USER 10001:10001
EXPOSE 8080
STOPSIGNAL SIGTERM
# Bash speaks TCP by itself: no client has to be installed. Another port: -e HEALTH_PORT=…
HEALTHCHECK --interval=10s --timeout=3s --start-period=5s CMD ["bash", "-c", "\
  exec 3<>/dev/tcp/127.0.0.1/${HEALTH_PORT:-8080} \
  && printf 'GET /healthz HTTP/1.1\\r\\nHost: localhost\\r\\nConnection: close\\r\\n\\r\\n' >&3 \
  && read -r _ status _ <&3 && [ \"$status\" = 200 ]"]
# Where nothing else says where to listen: neither an argument nor -e ROOMCAST_LISTEN nor a file given by --config.
ENTRYPOINT ["/usr/bin/roomcast", "--default", "listen=http://[::]:8080"]
