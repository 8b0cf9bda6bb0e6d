# cam: CreateUserSAMLConfig DescribeUserSAMLConfig UpdateUserSAMLConfig

variable "step" {
  type    = number
  default = 1
}

resource "tencentcloud_cam_user_saml_config" "people" {
  auxiliary_domain = "step${var.step}.example.com"

  saml_metadata_document = <<-XML
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
}
