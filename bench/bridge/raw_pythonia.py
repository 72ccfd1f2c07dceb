"""What a program would call through pythonia alone."""


def echo(text):
    return text


def floats(count):
    return [index / 7 for index in range(count)]


def long_text(length):
    return "7" * length


def call_back(listener, times):
    """One call of a JavaScript function for each training step."""
    for step in range(times):
        listener(step)
    return times
