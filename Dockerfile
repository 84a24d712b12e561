# A server of one model: docker build -t fashionkit . && docker run -p 8000:8000 fashionkit
# Another model: docker run -p 8000:8000 -v "$PWD:/models:ro" fashionkit /models/shoes.fashionkit
FROM python:3.12-slim AS build
WORKDIR /source
COPY pyproject.toml README.md LICENSE CHANGELOG.md ./
COPY fashionkit fashionkit
RUN python -m venv /opt/fashionkit \
    && /opt/fashionkit/bin/pip install --no-cache-dir ".[serve]"

FROM python:3.12-slim
RUN useradd --create-home --uid 10001 serving
COPY --from=build /opt/fashionkit /opt/fashionkit
ENV PATH="/opt/fashionkit/bin:$PATH" \
    MPLCONFIGDIR=/tmp/matplotlib \
    PYTHONDONTWRITEBYTECODE=1 \
    TF_CPP_MIN_LOG_LEVEL=2
USER serving
WORKDIR /home/serving
EXPOSE 8000
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=30s --timeout=5s --start-period=90s CMD \
    ["python", "-c", "import urllib.request; urllib.request.urlopen('http://127.0.0.1:8000/health', timeout=4)"]
ENTRYPOINT ["fashionkit", "serve", "--host", "0.0.0.0", "--port", "8000"]
