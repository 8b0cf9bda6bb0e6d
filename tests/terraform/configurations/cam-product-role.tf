# cam: CreateServiceLinkedRole GetRole UpdateRoleDescription DeleteServiceLinkedRole GetServiceLinkedRoleDeletionStatus
# tag: ModifyResourceTags

variable "step" {
  type    = number
  default = 1
}

resource "tencentcloud_cam_service_linked_role" "cvm" {
  qcs_service_name = ["cvm.qcloud.com", "ekslog.tke.cloud.tencent.com"]
  custom_suffix    = "declared"
  description      = "step ${var.step}"

  tags = {
    step = tostring(var.step)
  }
}
