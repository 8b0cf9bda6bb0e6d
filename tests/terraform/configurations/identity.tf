# sts: GetCallerIdentity

data "tencentcloud_sts_caller_identity" "me" {}

output "arn" {
  value = data.tencentcloud_sts_caller_identity.me.arn
}
