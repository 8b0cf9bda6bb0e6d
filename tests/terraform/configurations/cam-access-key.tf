# cam: GetUserAppId DescribeSubAccounts CreateAccessKey ListAccessKeys UpdateAccessKey DeleteAccessKey

data "tencentcloud_user_info" "me" {}

resource "tencentcloud_cam_access_key" "second" {
  target_uin = data.tencentcloud_user_info.me.uin
}
