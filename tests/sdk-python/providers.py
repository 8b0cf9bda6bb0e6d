"""Identity providers as a company has them: an OIDC issuer and a SAML one, their keys made and used by openssl."""

import base64
import hashlib
import json
import time
from datetime import datetime, timezone

from tools import run


def url64(content):
    return base64.urlsafe_b64encode(content).rstrip(b"=").decode()


class Provider:
    """A provider with an RSA key and a certificate of its own."""

    def __init__(self, home, url="https://idp.example.com"):
        self.home, self.url = home, url
        home.mkdir()
        subject = ["-subj", "/CN=idp.example.com", "-days", "2"]
        run("openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", home / "key", "-out", home / "cert", *subject, home=home)

    def sign(self, content):
        (self.home / "content").write_bytes(content)
        run("openssl", "dgst", "-sha256", "-sign", self.home / "key", "-out", self.home / "signature", self.home / "content", home=self.home)
        return (self.home / "signature").read_bytes()

    # -- OIDC

    def key_set(self):
        told = run("openssl", "x509", "-in", self.home / "cert", "-noout", "-modulus", home=self.home).stdout
        modulus = bytes.fromhex(told.strip().removeprefix("Modulus="))
        key = {"kty": "RSA", "kid": "one", "use": "sig", "alg": "RS256", "n": url64(modulus), "e": "AQAB"}
        return base64.b64encode(json.dumps({"keys": [key]}).encode()).decode()

    def token(self, **more):
        now = int(time.time())
        claims = {"iss": self.url, "sub": "ci", "aud": "app", "iat": now, "exp": now + 300} | more
        signed = ".".join(url64(json.dumps(part).encode()) for part in ({"alg": "RS256", "kid": "one", "typ": "JWT"}, claims))
        return f"{signed}.{url64(self.sign(signed.encode()))}"

    # -- SAML

    def metadata(self):
        certificate = "".join((self.home / "cert").read_text().splitlines()[1:-1])
        text = (
            f'<md:EntityDescriptor xmlns:md="urn:oasis:names:tc:SAML:2.0:metadata" entityID="{self.url}">'
            '<md:IDPSSODescriptor protocolSupportEnumeration="urn:oasis:names:tc:SAML:2.0:protocol"><md:KeyDescriptor use="signing">'
            '<ds:KeyInfo xmlns:ds="http://www.w3.org/2000/09/xmldsig#"><ds:X509Data><ds:X509Certificate>'
            f"{certificate}</ds:X509Certificate></ds:X509Data></ds:KeyInfo></md:KeyDescriptor></md:IDPSSODescriptor></md:EntityDescriptor>"
        )
        return base64.b64encode(text.encode()).decode()

    def assertion(self, subject="alice", seconds=300):
        """A signed assertion, in Base64. It is written in its canonical form, so that nothing here has to canonicalise."""
        moment = lambda ahead: datetime.fromtimestamp(time.time() + ahead, timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")
        until = moment(seconds)
        opening = f'<saml:Assertion xmlns:saml="urn:oasis:names:tc:SAML:2.0:assertion" ID="_1" IssueInstant="{moment(0)}" Version="2.0">'
        issuer = f"<saml:Issuer>{self.url}</saml:Issuer>"
        rest = (
            f"<saml:Subject><saml:NameID>{subject}</saml:NameID>"
            '<saml:SubjectConfirmation Method="urn:oasis:names:tc:SAML:2.0:cm:bearer">'
            f'<saml:SubjectConfirmationData NotOnOrAfter="{until}" Recipient="https://cloud.tencent.com/login/saml"></saml:SubjectConfirmationData>'
            "</saml:SubjectConfirmation></saml:Subject>"
            f'<saml:Conditions NotOnOrAfter="{until}"><saml:AudienceRestriction><saml:Audience>https://cloud.tencent.com</saml:Audience>'
            "</saml:AudienceRestriction></saml:Conditions></saml:Assertion>"
        )
        digest = base64.b64encode(hashlib.sha256((opening + issuer + rest).encode()).digest()).decode()
        signed = (
            '<ds:SignedInfo xmlns:ds="http://www.w3.org/2000/09/xmldsig#">'
            '<ds:CanonicalizationMethod Algorithm="http://www.w3.org/2001/10/xml-exc-c14n#"></ds:CanonicalizationMethod>'
            '<ds:SignatureMethod Algorithm="http://www.w3.org/2001/04/xmldsig-more#rsa-sha256"></ds:SignatureMethod>'
            '<ds:Reference URI="#_1"><ds:Transforms>'
            '<ds:Transform Algorithm="http://www.w3.org/2000/09/xmldsig#enveloped-signature"></ds:Transform>'
            '<ds:Transform Algorithm="http://www.w3.org/2001/10/xml-exc-c14n#"></ds:Transform></ds:Transforms>'
            '<ds:DigestMethod Algorithm="http://www.w3.org/2001/04/xmlenc#sha256"></ds:DigestMethod>'
            f"<ds:DigestValue>{digest}</ds:DigestValue></ds:Reference></ds:SignedInfo>"
        )
        value = base64.b64encode(self.sign(signed.encode())).decode()
        signature = (
            f'<ds:Signature xmlns:ds="http://www.w3.org/2000/09/xmldsig#">{signed}'
            f"<ds:SignatureValue>{value}</ds:SignatureValue></ds:Signature>"
        )
        return base64.b64encode((opening + issuer + signature + rest).encode()).decode()
