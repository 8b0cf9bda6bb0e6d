"""Identity providers, of roles and of users, through the typed SDK."""

import base64
import json

import pytest

from organisation import trust

METADATA = """<?xml version="1.0"?>
<EntityDescriptor xmlns="urn:oasis:names:tc:SAML:2.0:metadata" entityID="https://idp.example.com">
  <IDPSSODescriptor protocolSupportEnumeration="urn:oasis:names:tc:SAML:2.0:protocol">
    <KeyDescriptor use="signing"><KeyInfo xmlns="http://www.w3.org/2000/09/xmldsig#"><X509Data>
      <X509Certificate>TUlJQg==</X509Certificate></X509Data></KeyInfo></KeyDescriptor>
  </IDPSSODescriptor>
</EntityDescriptor>"""


def encoded(text):
    return base64.b64encode(text.encode()).decode()


SAML = encoded(METADATA)
KEYS = encoded(json.dumps({"keys": [{"kty": "RSA", "kid": "1", "n": "AQAB", "e": "AQAB"}]}))
OIDC = {"IdentityUrl": "https://idp.example.com", "ClientId": ["client"], "IdentityKey": KEYS}
USERS_OIDC = OIDC | {
    "ClientId": "client", "AuthorizationEndpoint": "https://idp.example.com/authorize", "ResponseType": "id_token",
    "ResponseMode": "form_post", "MappingFiled": "sub", "Scope": ["openid", "email"],
}


def test_a_saml_provider_from_its_creation_to_its_end(cam, refusal, unique):
    name, owner = unique("saml"), cam("GetUserAppId").OwnerUin
    make = {"Name": name, "Description": "the company", "SAMLMetadataDocument": SAML}
    arn = cam("CreateSAMLProvider", **make).ProviderArn
    assert arn == f"qcs::cam::uin/{owner}:saml-provider/{name}"
    assert refusal(cam, "CreateSAMLProvider", **make).code == "InvalidParameter.IdentityNameInUse"
    told = cam("GetSAMLProvider", Name=name)
    assert (told.Name, told.Description, told.SAMLMetadata) == (name, "the company", SAML)
    assert name in [provider.Name for provider in cam("ListSAMLProviders").SAMLProviderSet]
    other = encoded(METADATA.replace("idp.example", "login.example"))
    cam("UpdateSAMLProvider", Name=name, SAMLMetadataDocument=other)
    told = cam("GetSAMLProvider", Name=name)
    assert (told.SAMLMetadata, told.Description) == (other, "the company")
    assert cam("CreateRole", RoleName=unique("federated"), PolicyDocument=trust(federated=[arn])).RoleId
    cam("DeleteSAMLProvider", Name=name)
    for action in ("GetSAMLProvider", "UpdateSAMLProvider", "DeleteSAMLProvider"):
        assert refusal(cam, action, Name=name).code == "ResourceNotFound.IdentityNotExist"
    role = refusal(cam, "CreateRole", RoleName=unique("never"), PolicyDocument=trust(federated=[arn]))
    assert role.code == "InvalidParameter.PrincipalQcsNotExist"


METADATA_FAULTS = {
    "plain XML": METADATA,
    "no XML": encoded("metadata"),
    "a service provider": encoded(METADATA.replace("IDPSSO", "SPSSO")),
    "no certificate": encoded(METADATA.replace("TUlJQg==", "")),
    "no name": encoded(METADATA.replace("https://idp.example.com", "")),
    "an entity that grows": encoded('<!DOCTYPE a [<!ENTITY b "&c;&c;"><!ENTITY c "&b;">]><a>&b;</a>'),
}


@pytest.mark.parametrize("metadata", METADATA_FAULTS.values(), ids=METADATA_FAULTS)
def test_what_is_no_metadata_is_refused_wherever_it_comes_in(cam, refusal, unique, metadata):
    wrong = "InvalidParameterValue.MetadataError"
    make = {"Name": unique("never"), "Description": "", "SAMLMetadataDocument": metadata}
    assert refusal(cam, "CreateSAMLProvider", **make).code == wrong
    assert refusal(cam, "CreateUserSAMLConfig", SAMLMetadataDocument=metadata).code == wrong


def test_an_oidc_provider_from_its_creation_to_its_end(cam, refusal, unique):
    name = unique("oidc")
    cam("CreateOIDCConfig", Name=name, Description="the company", **OIDC)
    assert refusal(cam, "CreateOIDCConfig", Name=name, **OIDC).code == "InvalidParameter.IdentityNameInUse"
    told = cam("DescribeOIDCConfig", Name=name)
    assert (told.ProviderType, told.Status, told.ClientId, told.IdentityKey) == (11, 11, ["client"], KEYS)
    cam("UpdateOIDCConfig", Name=name, **OIDC | {"ClientId": ["one", "two"]})
    told = cam("DescribeOIDCConfig", Name=name)
    assert (told.ClientId, told.Description, told.IdentityUrl) == (["one", "two"], "the company", OIDC["IdentityUrl"])
    cam("DeleteOIDCConfig", Name=name)
    for action, more in (("DescribeOIDCConfig", {}), ("DeleteOIDCConfig", {}), ("UpdateOIDCConfig", OIDC)):
        assert refusal(cam, action, Name=name, **more).code == "ResourceNotFound.IdentityNotExist"


OIDC_FAULTS = {
    "a key that is no set": ({"IdentityKey": encoded("{}")}, "InvalidParameterValue.MetadataError"),
    "a plain URL": ({"IdentityUrl": "http://idp.example.com"}, "InvalidParameterValue.IdentityUrlError"),
    "no client": ({"ClientId": []}, "InvalidParameter"),
    "a rotation that nobody does": ({"AutoRotateKey": 1}, "InvalidParameter"),
    "a name with a blank": ({"Name": "a b"}, "InvalidParameterValue.NameError"),
}


@pytest.mark.parametrize(("fault", "code"), OIDC_FAULTS.values(), ids=OIDC_FAULTS)
def test_who_cannot_be_an_oidc_provider_is_refused(cam, refusal, unique, fault, code):
    assert refusal(cam, "CreateOIDCConfig", **{"Name": unique("never")} | OIDC | fault).code == code


def test_users_log_in_one_way_at_a_time(start, refusal):
    import organisation

    cam = organisation.cam(start())
    assert cam("DescribeUserSAMLConfig").Status == 0
    assert refusal(cam, "DescribeUserOIDCConfig").code == "ResourceNotFound.IdentityNotExist"
    assert refusal(cam, "DisableUserSSO").code == "InvalidParameterValue.MetadataError"
    assert refusal(cam, "UpdateUserSAMLConfig", Operate="enable").code == "ResourceNotFound.IdentityNotExist"
    assert refusal(cam, "UpdateUserOIDCConfig", **USERS_OIDC).code == "ResourceNotFound.IdentityNotExist"

    cam("CreateUserSAMLConfig", SAMLMetadataDocument=SAML, AuxiliaryDomain="example.com")
    told = cam("DescribeUserSAMLConfig")
    assert (told.Status, told.SAMLMetadata, told.AuxiliaryDomain) == (11, SAML, "example.com")
    twice = refusal(cam, "CreateUserSAMLConfig", SAMLMetadataDocument=SAML)
    assert twice.code == "InvalidParameter.IdentityNameInUse"
    assert refusal(cam, "UpdateUserSAMLConfig", Operate="updateSAML").code == "InvalidParameterValue.MetadataError"
    cam("UpdateUserSAMLConfig", Operate="updateSAML", AuxiliaryDomain="one.example.com")
    told = cam("DescribeUserSAMLConfig")
    assert (told.SAMLMetadata, told.AuxiliaryDomain) == (SAML, "one.example.com")
    cam("UpdateUserSAMLConfig", Operate="disable")
    assert cam("DescribeUserSAMLConfig").Status == 2
    cam("UpdateUserSAMLConfig", Operate="enable")

    cam("CreateUserOIDCConfig", **USERS_OIDC)
    assert cam("DescribeUserSAMLConfig").Status == 2, "the other way is off"
    told = cam("DescribeUserOIDCConfig")
    assert (told.ProviderType, told.Status, told.Scope, told.MappingFiled) == (12, 11, ["openid", "email"], "sub")
    assert refusal(cam, "CreateUserOIDCConfig", **USERS_OIDC).code == "InvalidParameter.IdentityNameInUse"
    cam("UpdateUserOIDCConfig", **USERS_OIDC | {"MappingFiled": "name", "ResponseMode": "fragment"})
    assert cam("DescribeUserOIDCConfig").MappingFiled == "name"
    for fault, code in (
        ({"ResponseType": "code"}, "InvalidParameter"),
        ({"ResponseMode": "query"}, "InvalidParameter"),
        ({"IdentityKey": "!"}, "InvalidParameterValue.IdentityKeyError"),
        ({"AuthorizationEndpoint": "example"}, "InvalidParameterValue.IdentityUrlError"),
    ):
        assert refusal(cam, "UpdateUserOIDCConfig", **USERS_OIDC | fault).code == code
    cam("DisableUserSSO")
    assert cam("DescribeUserOIDCConfig").Status == 2
    cam("CreateUserOIDCConfig", **USERS_OIDC)
