"""The control routes under `/_emulator`: one table, its handlers, who may call them, and the OpenAPI document."""
