"""The control routes under `/_emulator`: table, handlers, access checks, and the OpenAPI document."""
