# docs/install.md says how to build and run it.
FROM python:3.13-slim AS build
COPY . /source
RUN python -m venv /opt/emulator && /opt/emulator/bin/pip install --no-cache-dir /source

FROM python:3.13-slim
RUN useradd --system --no-create-home --shell /usr/sbin/nologin emulator
COPY --from=build /opt/emulator /opt/emulator
ENV PATH="/opt/emulator/bin:$PATH" IDENTITY_EMULATOR_HOST="0.0.0.0" IDENTITY_EMULATOR_PORT="3000"
USER emulator
EXPOSE 3000
HEALTHCHECK --interval=2s --timeout=2s --start-period=10s CMD ["identity-emulator", "health"]
ENTRYPOINT ["identity-emulator"]
CMD ["serve"]
