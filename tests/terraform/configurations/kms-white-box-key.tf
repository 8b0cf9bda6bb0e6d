# kms: CreateWhiteBoxKey DescribeWhiteBoxKey DisableWhiteBoxKey DeleteWhiteBoxKey DescribeWhiteBoxKeyDetails DescribeWhiteBoxDecryptKey DescribeWhiteBoxDeviceFingerprints OverwriteWhiteBoxDeviceFingerprints
# tag: ModifyResourceTags DescribeResourceTagsByResourceIds

variable "step" {
  type    = number
  default = 1
}

resource "tencentcloud_kms_white_box_key" "shipped" {
  alias       = "shipped"
  description = "in every device"
  algorithm   = "SM4"
  status      = var.step == 1 ? "Enabled" : "Disabled"

  tags = {
    step = tostring(var.step)
  }
}

resource "tencentcloud_kms_overwrite_white_box_device_fingerprints" "devices" {
  key_id = tencentcloud_kms_white_box_key.shipped.id

  device_fingerprints {
    identity    = "0123456789ABCDEF"
    description = "the first"
  }
}

data "tencentcloud_kms_white_box_device_fingerprints" "devices" {
  key_id = tencentcloud_kms_overwrite_white_box_device_fingerprints.devices.key_id
}

data "tencentcloud_kms_white_box_decrypt_key" "shipped" {
  key_id = tencentcloud_kms_white_box_key.shipped.id
}

data "tencentcloud_kms_white_box_key_details" "all" {
  depends_on = [tencentcloud_kms_white_box_key.shipped]
}
