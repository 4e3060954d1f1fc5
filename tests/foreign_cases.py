"""The foreign issuers of `rules_2_14.json`: by the name of a case, the key set, header and payload that it says."""

import hmac
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cache, partial
from typing import Any

from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from emulator.services.rust import base64url
from tests.conftest import DATA

Jwk = dict[str, Any]
Sign = Callable[[bytes], bytes]

NOW = 1_795_724_384
"""Seconds: when the cases were recorded, as `exp float` tells."""


def number(value: int, size: int | None = None) -> str:
    return base64url.encode(value.to_bytes(size or (value.bit_length() + 7) // 8))


# --- keys -------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Key:
    """A key as a JWK, and what signs with it."""

    jwk: Jwk
    sign: Sign

    def named(self, kid: str | None, **members: Any) -> Jwk:
        """Its JWK; `...` removes a member."""
        whole = ({} if kid is None else {"kid": kid}) | self.jwk | members
        return {name: value for name, value in whole.items() if value is not ...}


@cache
def ec_key(scalar: int, curve: ec.EllipticCurve | None = None, name: str = "P-256") -> Key:
    private = ec.derive_private_key(scalar, curve or ec.SECP256R1())
    numbers, size = private.public_key().public_numbers(), (private.key_size + 7) // 8

    def sign(message: bytes) -> bytes:
        r, s = decode_dss_signature(private.sign(message, ec.ECDSA(SHA256())))
        return r.to_bytes(size) + s.to_bytes(size)

    return Key({"kty": "EC", "crv": name, "x": number(numbers.x, size), "y": number(numbers.y, size)}, sign)


@cache
def rsa_key(bits: int) -> Key:
    if bits == 4352:
        private = load_pem_private_key((DATA / "rsa_4352.pem").read_bytes(), None)
    else:
        private = rsa.generate_private_key(65537, bits)
    assert isinstance(private, rsa.RSAPrivateKey)
    numbers = private.public_key().public_numbers()
    jwk = {"kty": "RSA", "n": number(numbers.n), "e": number(numbers.e)}
    return Key(jwk, lambda message: private.sign(message, padding.PKCS1v15(), SHA256()))


def oct_key(secret: bytes) -> Key:
    jwk = {"kty": "oct", "k": base64url.encode(secret)}
    return Key(jwk, lambda message: hmac.digest(secret, message, "sha256"))


@cache
def ed_key() -> Key:
    private = Ed25519PrivateKey.from_private_bytes(b"e" * 32)
    public = base64url.encode(private.public_key().public_bytes_raw())
    return Key({"kty": "OKP", "crv": "Ed25519", "x": public}, private.sign)


A, B, C, STRANGER = ec_key(101), ec_key(102), ec_key(103), ec_key(104)
OCT = oct_key(b"a shared secret of some bytes..!")


# --- cases ------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Built:
    """What a case's provider serves and its token has; `kid` is in the header unless it is None."""

    keys: Any = field(default_factory=lambda: {"keys": [A.named("a")]})
    kid: str | None = "a"
    algorithm: str = "ES256"
    header: Mapping[str, Any] = field(default_factory=dict)
    claims: Mapping[str, Any] = field(default_factory=dict)
    key: Key = A
    issuer: str = "{url}"
    """With the provider's URL for `{url}`."""
    signature: Callable[[bytes], str] = base64url.encode
    discovery: Mapping[str, Any] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)
    status: int = 200
    redirected: bool = False

    @property
    def document(self) -> bytes:
        return self.keys if isinstance(self.keys, bytes) else json.dumps(self.keys).encode()

    @property
    def is_about_http(self) -> bool:
        return bool(self.discovery or self.headers or self.redirected or self.status != 200)

    def token(self, url: str) -> str:
        header = {"typ": "JWT", "alg": self.algorithm, "kid": self.kid, **self.header}
        said = {"iss": self.issuer.format(url=url), "sub": "alice", "iat": NOW, **self.claims}
        first, second = (
            base64url.encode(
                json.dumps({k: v for k, v in each.items() if v is not ...}, separators=(",", ":")).encode()
            )
            for each in ({name: value for name, value in header.items() if name != "kid" or value is not None}, said)
        )
        message = f"{first}.{second}"
        return f"{message}.{self.signature(self.key.sign(message.encode()))}"


def keys(*jwks: Any, **changes: Any) -> Built:
    return Built({"keys": list(jwks)}, **changes)


def beside(second: Any) -> Built:
    """A good key, and another in the same set."""
    return keys(A.named("a"), second)


def der(signature: bytes) -> str:
    r, s = signature[:32], signature[32:]
    parts = b"".join(b"\x02" + bytes([len(x)]) + x for x in (b"\0" + r, b"\0" + s))
    return base64url.encode(b"\x30" + bytes([len(parts)]) + parts)


P384, P521 = ec_key(105, ec.SECP384R1(), "P-384"), ec_key(106, ec.SECP521R1(), "P-521")

CASES: Mapping[str, Callable[[], Built]] = {
    "kid a, key a": Built,
    "no kid, no key fits (2 EC keys)": lambda: keys(A.named("a"), B.named("b"), kid=None, key=STRANGER),
    "kid empty string, set has kid a": lambda: Built(kid=""),
    "kid unknown, one kid-less key fits": lambda: keys(A.named("a"), B.named(None), kid="zz", key=B),
    "kid c but signed by a": lambda: keys(A.named("a"), C.named("c"), kid="c"),
    "empty set, no kid": lambda: keys(kid=None),
    "same kid twice, signed by first": lambda: keys(A.named("a"), B.named("a")),
    "oct key, HS256 with it, kid": lambda: keys(OCT.named("o"), kid="o", algorithm="HS256", key=OCT),
    "oct + EC, HS256 with oct, kid": lambda: keys(OCT.named("o"), A.named("a"), kid="o", algorithm="HS256", key=OCT),
    "oct + EC, ES256 ok": lambda: keys(OCT.named("o"), A.named("a")),
    "EC key, RS256 token": lambda: Built(algorithm="RS256", key=rsa_key(2048)),
    "RSA 2048, RS256": lambda: keys(rsa_key(2048).named("a"), algorithm="RS256", key=rsa_key(2048)),
    "RSA 4352, RS256": lambda: keys(rsa_key(4352).named("a"), algorithm="RS256", key=rsa_key(4352)),
    "RSA 2048, ES256 token": lambda: keys(rsa_key(2048).named("a")),
    "RSA 2048, HS256 token": lambda: keys(rsa_key(2048).named("a"), algorithm="HS256", key=OCT),
    "P-384 key, ES256 header": lambda: keys(P384.named("a"), key=P384),
    "P-521 key, ES256 header": lambda: keys(P521.named("a"), key=P521),
    "EC x one byte short": lambda: keys(A.named("a", x=base64url.encode(base64url.decode(A.jwk["x"])[:-1]))),
    "EC x padded": lambda: keys(A.named("a", x=A.jwk["x"] + "=")),
    "OKP Ed25519, ES256 token": lambda: keys(ed_key().named("a"), key=ed_key()),
    "EC + OKP, no kid, none fits": lambda: keys(A.named("a"), ed_key().named("b"), kid=None, key=STRANGER),
    "good key a + key with OKP Ed448": lambda: beside(ed_key().named("b", crv="Ed448")),
    "good key a + key with unknown kty": lambda: beside(B.named("b", kty="XX")),
    "good key a + key with EC without y": lambda: beside(B.named("b", y=...)),
    "good key a + key with kid null": lambda: beside({**B.named(None), "kid": None}),
    "good key a + key with alg ES256K": lambda: beside(B.named("b", alg="ES256K")),
    "good key a + key with alg number": lambda: beside(B.named("b", alg=5)),
    "good key a + key with use number": lambda: beside(B.named("b", use=5)),
    "good key a + key with key_ops string": lambda: beside(B.named("b", key_ops="verify")),
    "good key a + key with x5t number": lambda: beside(B.named("b", x5t=5)),
    "good key a + key with oct k not base64": lambda: beside({"kid": "b", "kty": "oct", "k": "**"}),
    "good key a + key with key is a string": lambda: beside("a key"),
    "good key a + key with unknown member": lambda: beside(B.named("b", odd=[1, {}])),
    "JWK alg RS256 on EC key": lambda: keys(A.named("a", alg="RS256")),
    "member twice in key": lambda: Built(
        json.dumps({"keys": [A.named("a")]}).encode().replace(b'"crv"', b'"crv": "P-256", "crv"')
    ),
    "keys missing": lambda: Built({"kids": []}),
    "bare list": lambda: Built([A.named("a")]),
    "status 404 with good JSON": lambda: Built(status=404),
    "content-type text/html": lambda: Built(headers={"content-type": "text/html"}),
    "issuer member differs": lambda: Built(discovery={"issuer": "https://other.example.com"}),
    "jwks_uri relative": lambda: Built(discovery={"jwks_uri": "/keys"}),
    "iss with slash": lambda: Built(issuer="{url}/"),
    "redirect 302 of the discovery document": lambda: Built(redirected=True),
    "expired 1000 s": lambda: Built(claims={"exp": NOW - 1000}),
    "exp null": lambda: Built(claims={"exp": None}),
    "exp float": lambda: Built(claims={"exp": NOW - 1000 + 0.5}),
    "sub 129": lambda: Built(claims={"sub": "a" * 129}),
    "hex_identity wrong": lambda: Built(claims={"hex_identity": "0" * 64}),
    "aud 5": lambda: Built(claims={"aud": 5}),
    "sig not base64": lambda: Built(signature=lambda _: "****"),
    "sig DER": lambda: Built(signature=der),
    'header crit="exp"': lambda: Built(header={"crit": "exp"}),
    "header enc=5": lambda: Built(header={"enc": 5}),
    "header url=5": lambda: Built(header={"url": 5}),
    'header enc="foo"': lambda: Built(header={"enc": "foo"}),
    "header url=null": lambda: Built(header={"url": None}),
    'header x5c="a"': lambda: Built(header={"x5c": "a"}),
    "header cty=1": lambda: Built(header={"cty": 1}),
    "header jwk={}": lambda: Built(header={"jwk": {}}),
    'header jwk={"kty": "EC", "crv": "P-256"}': lambda: Built(header={"jwk": {"kty": "EC", "crv": "P-256"}}),
    "header foo=100000000000000000000000000000": lambda: Built(header={"foo": 10**29}),
    "header b64=false": lambda: Built(header={"b64": False}),
    "nbf [1]": lambda: Built(claims={"nbf": [1]}),
    "nbf {}": lambda: Built(claims={"nbf": {}}),
    "nbf string": lambda: Built(claims={"nbf": "later"}),
    "nbf true": lambda: Built(claims={"nbf": True}),
    "nbf 1e30": lambda: Built(claims={"nbf": 1e30}),
    **{
        f"iss {issuer!r}": partial(Built, issuer=issuer)
        for issuer in (
            "file:///x",
            "HTTP://127.0.0.1:1/x",
            "//127.0.0.1:1/",
            "http://",
            "http://127.0.0.1:1",
            "localhost/",
            "http://localhost:1",
        )
    },
}


def case(name: str) -> Built:
    return CASES[name]()
