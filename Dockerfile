FROM python:3.12-slim AS builder
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1 PIP_ROOT_USER_ACTION=ignore
WORKDIR /src
COPY requirements.lock requirements-build.lock ./
# The environment gets no pip of its own: the builder's works on it from outside. Wheels only, so no
# compiler is needed. The build tools stay in the builder.
RUN python -m venv --without-pip /opt/gradd \
    && pip --python /opt/gradd/bin/python install --require-hashes --only-binary :all: -r requirements.lock \
    && pip install --require-hashes --only-binary :all: -r requirements-build.lock
COPY pyproject.toml LICENSE ./
COPY core core
COPY app app
RUN pip wheel --no-deps --no-build-isolation --wheel-dir /wheels . \
    && pip --python /opt/gradd/bin/python install --no-deps --no-index /wheels/*.whl
# What no program reads: tests of libraries, their sources, and the symbols of debuggers. docs/operations/image.md has the
# sizes. Libraries in *.libs were edited by patchelf, which strip may damage: they stay.
RUN apt-get update \
    && apt-get install --yes --no-install-recommends binutils \
    && find /opt/gradd/lib -type d -name tests -prune -exec rm -r {} + \
    && find /opt/gradd/lib -type f \( -name '*.a' -o -name '*.c' -o -name '*.cpp' -o -name '*.h' -o -name '*.pxd' -o -name '*.pyi' \
        -o -name '*.pyx' \) -delete \
    && find /opt/gradd/lib -type f -name '*.so' -not -path '*.libs/*' -exec strip --strip-debug {} + \
    # It still starts, from what is installed.
    && /opt/gradd/bin/python -I -c 'import app.main, app.worker.worker, highspy, psycopg, simdjson, uvloop, zstandard'

FROM python:3.12-slim
# docker build --build-arg VERSION=0.1.0 .   (`make image` takes it from pyproject.toml)
ARG VERSION=unknown
LABEL org.opencontainers.image.title="gradd" \
      org.opencontainers.image.description="Activations, deltas and weight gradients for hand-written backpropagation, over REST" \
      org.opencontainers.image.licenses="Apache-2.0" \
      org.opencontainers.image.version="${VERSION}"
# Nothing is installed into a running container. This takes the program away, not the bytes of the layer below.
RUN pip uninstall --yes --root-user-action ignore pip
# The environment holds the dependencies and the installed packages app and core, compiled.
COPY --from=builder /opt/gradd /opt/gradd
# Writable by any user, since the service may be started under any uid. The sticky bit keeps one
# user's files from another's.
RUN install -d -m 1777 /data
# NumPy's OpenBLAS takes one thread per core of the host, whatever CPU limit the container has: where
# there is such a limit, start the container with OPENBLAS_NUM_THREADS set to it.
# The server listens on all addresses of the container and cannot know where its port is published, so the image says
# itself that it is open: `docker run -p 127.0.0.1:8000:8000` works at once, for this machine alone. To publish the port
# to others, add `-e GRADD_AUTHENTICATION=required` and make keys: `docker exec CONTAINER gradd keys create NAME`.
ENV PATH=/opt/gradd/bin:$PATH \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1 \
    GRADD_DATA_DIR=/data \
    GRADD_AUTHENTICATION=off
VOLUME /data
WORKDIR /data
USER 10001:10001
EXPOSE 8000
# No proxy, whatever the environment says: this asks the container itself.
HEALTHCHECK --interval=30s --timeout=5s --start-period=10s --retries=3 \
    CMD ["python", "-c", "import urllib.request as r; r.build_opener(r.ProxyHandler({})).open('http://127.0.0.1:8000/livez', timeout=3)"]
CMD ["gradd", "serve", "--host", "0.0.0.0", "--port", "8000"]
