# The gateway: page, conversations, WebRTC. With no ANTLITZ_TRITON set it also runs its own tritonserver on the processor
# (nvidia-pytriton), so that this one image is all of Antlitz on a machine without a GPU. linux/amd64 and linux/arm64.
#   docker build -f triton/gateway.Dockerfile -t antlitz-gateway .
FROM python:3.12.12-slim-bookworm

# The versions that the tests have passed with. docopt (of num2words) is published as source alone; pip makes its wheel.
COPY triton/requirements.txt /opt/antlitz/requirements.txt
RUN pip install --no-cache-dir --no-deps --requirement /opt/antlitz/requirements.txt

# An application that runs from its checkout: page, models' adapters and characters lie beside the code.
COPY pyproject.toml README.md /opt/antlitz/
COPY gateway /opt/antlitz/gateway
COPY characters /opt/antlitz/characters
COPY client /opt/antlitz/client
COPY export /opt/antlitz/export
COPY model_repository /opt/antlitz/model_repository
COPY triton /opt/antlitz/triton
RUN pip install --no-cache-dir --no-deps --editable /opt/antlitz \
    && useradd --uid 1000 --no-create-home --shell /usr/sbin/nologin antlitz \
    && install --directory --owner=antlitz --group=antlitz /data /models

ENV ANTLITZ_DATA=/data \
    ANTLITZ_MODELS=/models \
    ANTLITZ_HOST=0.0.0.0 \
    ANTLITZ_PORT=8080 \
    HOME=/tmp \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1
VOLUME ["/data", "/models"]
EXPOSE 8080
USER 1000:1000
WORKDIR /tmp

# A first start fetches 200 MB of models. /healthz is whether the gateway runs, /readyz whether every engine is there.
HEALTHCHECK --interval=10s --timeout=5s --start-period=300s --retries=3 \
    CMD ["python", "-P", "/opt/antlitz/triton/healthy.py"]
# It says goodbye to its pages on SIGTERM.
STOPSIGNAL SIGTERM
ENTRYPOINT ["antlitz"]
CMD ["up"]
