"""What `conftest_plugin` needs once a test asks for an emulator. Nothing here is imported before."""
