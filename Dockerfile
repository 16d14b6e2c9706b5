# One image for every process; docker-compose.yml has the command of each.

FROM python:3.12-slim AS build
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1
RUN python -m venv /opt/lockstep
ENV PATH=/opt/lockstep/bin:$PATH
# Dependencies first, as they change less often than the code. Every file is checked against its hash.
COPY requirements/runtime.txt /src/requirements/
RUN pip install --require-hashes --no-deps -r /src/requirements/runtime.txt
WORKDIR /src
COPY setup.cfg pyproject.toml README.md LICENSE celeryconfig.py ./
COPY admin admin/
COPY client client/
COPY contract contract/
COPY lockstep lockstep/
COPY runtime runtime/
COPY tasks tasks/
COPY web web/
RUN pip install --no-deps --no-build-isolation .

FROM python:3.12-slim
RUN useradd --system --user-group --no-create-home --home-dir /nonexistent lockstep
COPY --from=build /opt/lockstep /opt/lockstep
# The folder of Flower's state; a new volume takes over its owner.
RUN install --directory --owner=lockstep --group=lockstep /var/lib/lockstep
WORKDIR /app
COPY flowerconfig.py gunicorn.conf.py ./
COPY tools/samples/catalogue.csv samples/
ENV PATH=/opt/lockstep/bin:$PATH PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1
USER lockstep
CMD ["lockstep", "--help"]
