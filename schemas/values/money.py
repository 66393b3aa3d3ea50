"""Money 金额: whole fen inside, yuan on everything that people read."""

from schemas.values.both import Both

FEN_PER_YUAN = 100


def yuan(fen: int, *, grouped: bool = False) -> str:
    """Fen in yuan, `1200.50` of 120050, without a fraction that a float could lose; `grouped`: `1,200.50`."""
    sign, whole = ("-" if fen < 0 else ""), abs(fen)
    before = f"{whole // FEN_PER_YUAN:,}" if grouped else str(whole // FEN_PER_YUAN)
    return f"{sign}{before}.{whole % FEN_PER_YUAN:02d}"


def in_yuan(amount: str) -> str:
    """An amount that `yuan` wrote, with its unit."""
    return Both(f"{amount}元", f"{amount} yuan", f"{amount}元")
