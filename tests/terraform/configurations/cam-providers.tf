# cam: CreateSAMLProvider GetSAMLProvider UpdateSAMLProvider DeleteSAMLProvider ListSAMLProviders CreateOIDCConfig DescribeOIDCConfig UpdateOIDCConfig DeleteOIDCConfig CreateUserOIDCConfig DescribeUserOIDCConfig UpdateUserOIDCConfig DisableUserSSO

variable "step" {
  type    = number
  default = 1
}

locals {
  metadata = base64encode(<<-XML
    <EntityDescriptor xmlns="urn:oasis:names:tc:SAML:2.0:metadata" entityID="https://idp.example.com">
      <IDPSSODescriptor protocolSupportEnumeration="urn:oasis:names:tc:SAML:2.0:protocol">
        <KeyDescriptor use="signing">
          <KeyInfo xmlns="http://www.w3.org/2000/09/xmldsig#">
            <X509Data><X509Certificate>TUlJQg==</X509Certificate></X509Data>
          </KeyInfo>
        </KeyDescriptor>
      </IDPSSODescriptor>
    </EntityDescriptor>
  XML
  )
  keys = base64encode(jsonencode({ keys = [{ kty = "RSA", kid = "1", n = "AQAB", e = "AQAB" }] }))
}

resource "tencentcloud_cam_saml_provider" "company" {
  name        = "company"
  meta_data   = local.metadata
  description = "step ${var.step}"
}

resource "tencentcloud_cam_role_sso" "builds" {
  name         = "builds"
  identity_url = "https://idp.example.com"
  identity_key = local.keys
  client_ids   = ["builds"]
  description  = "step ${var.step}"
}

resource "tencentcloud_cam_oidc_sso" "people" {
  identity_url           = "https://idp.example.com"
  identity_key           = local.keys
  authorization_endpoint = "https://idp.example.com/authorize"
  client_id              = "people"
  mapping_filed          = var.step == 1 ? "sub" : "name"
  response_mode          = "form_post"
  response_type          = "id_token"
  scope                  = ["openid", "email"]
}

data "tencentcloud_cam_saml_providers" "all" {
  depends_on = [tencentcloud_cam_saml_provider.company]
}
