"""Why a token is refused. Each docstring is the answer to the caller: Chinese for people, English for developers.

TokenRefused          send the caller away with 401; trying the same token again will not help
    TokenMissing · TokenMalformed · TokenSignatureWrong · TokenExpired · TokenNotYetValid
    TokenWrongAudience · TokenWrongIssuer · TokenKeyUnknown · RoleUnknown
IssuerAway            not refused: the issuer could not be asked for its key, 503
"""


class TokenRefused(Exception):
    """登录凭证无法使用，请重新登录。 The token cannot be used: sign in again."""

    code = "token-refused"

    def __init__(self, about: str = "") -> None:
        """`about` names a claim or a key id, never the token."""
        super().__init__(f"{self.__doc__} {about}".strip())


class TokenMissing(TokenRefused):
    """请先登录。 There is no token: send `Authorization: Bearer TOKEN` (locally: `jiceng token --role …`)."""

    code = "token-missing"


class TokenMalformed(TokenRefused):
    """登录凭证格式不正确，请重新登录。 This is not a token of ours, or a claim is missing or wrong: get a new one."""

    code = "token-malformed"


class TokenSignatureWrong(TokenRefused):
    """登录凭证签名无效，请重新登录。 The signature does not fit the token: it was changed, or signed by another."""

    code = "token-signature-wrong"


class TokenExpired(TokenRefused):
    """登录已过期，请重新登录。 The token has expired: get a new one."""

    code = "token-expired"


class TokenNotYetValid(TokenRefused):
    """登录凭证尚未生效，请检查设备时间。 The token is from the future: set the clock of the machine that issued it."""

    code = "token-not-yet-valid"


class TokenWrongAudience(TokenRefused):
    """登录凭证不适用于本系统，请从本系统登录。 The token is for another system (`aud`): ask for one for this town."""

    code = "token-wrong-audience"


class TokenWrongIssuer(TokenRefused):
    """登录凭证不是由本系统认可的机构签发的。 The token is from an issuer (`iss`) that this town does not trust."""

    code = "token-wrong-issuer"


class TokenKeyUnknown(TokenRefused):
    """登录凭证的签发密钥未知，请重新登录。 The key (`kid`) is not in the JWKS file: get a new token, or add the key."""

    code = "token-key-unknown"


class RoleUnknown(TokenRefused):
    """登录账号的角色未知，请联系管理员。 The token's `role` is none that a person can have: ask the administrator."""

    code = "role-unknown"


class IssuerAway(Exception):
    """The issuer could not be asked for the key of a token; whoever comes a little later may be let in."""
