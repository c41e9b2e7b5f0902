# A small image that serves the shipped model: no compiler, no PyTorch, no root, nothing written at run time.
#
#   docker build -t affekt .
#   docker run --rm --read-only --tmpfs /tmp --cap-drop ALL --security-opt no-new-privileges \
#     -p 127.0.0.1:8000:8000 -e AFFEKT_API_KEYS affekt
#
# Another model: add  -v /path/to/model:/model:ro  and  --model /model  at the end.

FROM python:3.12-slim AS build
WORKDIR /build
COPY pyproject.toml README.md LICENSE NOTICE ./
COPY src src
RUN python -m venv /opt/affekt \
 && /opt/affekt/bin/pip install --no-cache-dir --no-compile ".[serve]" \
 && /opt/affekt/bin/python -m compileall -q /opt/affekt/lib \
 && /opt/affekt/bin/pip uninstall --yes pip

FROM python:3.12-slim
RUN useradd --system --uid 10001 --no-create-home --shell /usr/sbin/nologin affekt
COPY --from=build /opt/affekt /opt/affekt
ENV PATH=/opt/affekt/bin:$PATH \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1 \
    ORT_DISABLE_TELEMETRY=1 \
    HOME=/nonexistent
USER 10001:10001
EXPOSE 8000
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=10s --timeout=3s --start-period=30s --retries=3 \
  CMD ["python", "-c", "import urllib.request as r; r.urlopen('http://127.0.0.1:8000/readyz', timeout=2)"]
# Outside the container the port is only as open as `docker run -p` makes it; inside, 0.0.0.0 needs keys
# (AFFEKT_API_KEYS) or an explicit --allow-anonymous.
ENTRYPOINT ["affekt", "serve", "--host", "0.0.0.0"]
