"""What a test holds to steer an emulator, in this process or over HTTP; `api` has the routes under `/_emulator`."""
