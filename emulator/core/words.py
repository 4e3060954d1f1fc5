"""Words of messages."""


def counted(number: int, one: str, many: str = "") -> str:
    """`1 exchange`, `2 exchanges`."""
    return f"{number} {one if number == 1 else many or f'{one}s'}"
