"""The phones speak to this machine alone unless they are told otherwise."""

from ipaddress import ip_address


class NotLoopback(ValueError):
    """An address outside 127.0.0.0/8 and ::1 was to be bound or sent to without ``live``."""


class Fence:
    """Decides which addresses may be bound and sent to; remembers its verdicts, for speed."""

    def __init__(self, *, live: bool) -> None:
        self._live = live
        self._verdicts: dict[str, bool] = {}

    def allows(self, host: str) -> bool:
        """Whether packets may go to ``host``. Names are never looked up: only addresses are allowed."""
        verdict = self._verdicts.get(host)
        if verdict is None:
            if len(self._verdicts) > 1_000:
                self._verdicts.clear()
            verdict = self._verdicts[host] = self._judge(host)
        return verdict

    def require(self, host: str) -> None:
        """Refuse to bind anything else.

        Raises:
            NotLoopback: ``host`` is not a loopback address and the phones are not live, or is no address to be
                reached at.
        """
        if not self.allows(host):
            raise NotLoopback(
                f"{host} is not a loopback address: give an address, and say --live to leave this machine"
            )

    def _judge(self, host: str) -> bool:
        try:
            address = ip_address(host)
        except ValueError:
            return False
        return address.is_loopback or (self._live and not address.is_unspecified)
