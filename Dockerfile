# One image for every process of ours: worker, API, notices, one-shot preparations. docs/production.md says how it is used.
FROM python:3.11.11-slim-bookworm

ENV PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1 PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1

# An ordinary user; /town is made here so that a new named volume belongs to it.
RUN useradd --uid 10001 --no-create-home --home-dir /town jiceng && install -d -o jiceng -g jiceng -m 0700 /town
WORKDIR /app

COPY requirements.lock ./
RUN pip install --require-hashes --requirement requirements.lock

COPY . .
# Editable: the policies of the town are read from beside the code, unless JICENG_POLICIES names others.
RUN pip install --no-deps --no-build-isolation --editable .

USER jiceng
# asyncio ends tidily on SIGINT; the worker has a signal of its own (docker-compose.yml).
STOPSIGNAL SIGINT
CMD ["jiceng", "api"]
