# cam: GetUserAppId DescribeSubAccounts

data "tencentcloud_user_info" "me" {}

output "uin" {
  value = data.tencentcloud_user_info.me.owner_uin
}
