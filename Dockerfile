# The README's steps in a container. CPU:  docker build --target cpu -t mmforecast .
#                                  CUDA: docker build --target cuda -t mmforecast .
# A CUDA device also needs the NVIDIA container toolkit on the host: docker run --gpus all mmforecast ...

FROM python:3.11-slim AS base
RUN apt-get update && apt-get install -y --no-install-recommends make && rm -rf /var/lib/apt/lists/*
WORKDIR /mmforecast
COPY . .
ENV PATH=/mmforecast/.venv/bin:$PATH XDG_CACHE_HOME=/tmp/cache PIP_NO_CACHE_DIR=1
ENTRYPOINT ["mmforecast"]
CMD ["--help"]

FROM base AS cpu
# the CPU build of torch: 0.2 GB instead of 3
RUN PIP_EXTRA_INDEX_URL=https://download.pytorch.org/whl/cpu make setup

FROM base AS cuda
# the index's torch brings its own CUDA libraries
RUN make setup
