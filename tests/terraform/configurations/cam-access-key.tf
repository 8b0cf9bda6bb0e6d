# cam: GetUserAppId DescribeSubAccounts CreateAccessKey ListAccessKeys UpdateAccessKey DeleteAccessKey

variable "step" {
  type    = number
  default = 1
}

data "tencentcloud_user_info" "me" {}

resource "tencentcloud_cam_access_key" "second" {
  target_uin = data.tencentcloud_user_info.me.uin
  status     = var.step == 1 ? "Active" : "Inactive"
}
