"""Where results go."""

from vedette.sinks.delivery import Delivered, Delivery
from vedette.sinks.sink import Sink, SinkGone, SinkUnavailable

__all__ = ["Delivered", "Delivery", "Sink", "SinkGone", "SinkUnavailable"]
