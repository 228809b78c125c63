# losscli alone, with what reads s3:// and other addresses:
#   docker build -t losscli . && docker run --rm -v "$PWD:/data" losscli compute ce logits.npy labels.npy
FROM python:3.13-slim
COPY . /src
RUN pip install --no-cache-dir "/src[remote]" && rm -r /src && useradd --create-home --uid 1000 losscli
USER 1000
WORKDIR /data
ENTRYPOINT ["losscli"]
