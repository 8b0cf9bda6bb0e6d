//! The actions of TCR, one a file. Permission is asked for on `instance/<id>` and `repository/<id>/<namespace>[/<repository>]` (`tcr.md`
//! §1.23).

#[cfg(test)]
mod tests;

use rookery_api::tcr::{
    CreateInternalEndpointDnsRequest, DeleteInternalEndpointDnsRequest, DescribeInstanceAllNamespacesRequest,
    DescribeInternalEndpointDnsStatusRequest, DescribeInternalEndpointsRequest,
    DescribeReplicationInstanceSyncStatusRequest, ManageInternalEndpointRequest,
    ModifyInstanceStorageRequest,
};
use rookery_gateway::Resource;

use crate::Tcr;

rookery_gateway::actions! { Tcr:
    instance {
        check_instance_name, check_instance, create_instance, describe_instances, describe_instance_status,
        modify_instance, renew_instance, delete_instance, describe_regions,
    }
    namespace { create_namespace, describe_namespaces, modify_namespace, delete_namespace }
    repository { create_repository, describe_repositories, modify_repository, delete_repository }
    image { describe_images, describe_image_manifests, delete_image, delete_repository_tags, duplicate_image }
    immutable_tag {
        create_immutable_tag_rules, describe_immutable_tag_rules, modify_immutable_tag_rules, delete_immutable_tag_rules,
    }
    tag_retention {
        create_tag_retention_rule, describe_tag_retention_rules, modify_tag_retention_rule, delete_tag_retention_rule,
        create_tag_retention_execution, describe_tag_retention_execution, describe_tag_retention_execution_task,
    }
    token { create_instance_token, describe_instance_token, modify_instance_token, delete_instance_token }
    service_account {
        create_service_account, describe_service_accounts, modify_service_account, modify_service_account_password,
        delete_service_account,
    }
    external_endpoint {
        manage_external_endpoint, describe_external_endpoint_status, create_security_policy,
        create_multiple_security_policy, describe_security_policies, modify_security_policy, delete_security_policy,
        delete_multiple_security_policy,
    }
    webhook {
        create_webhook_trigger, describe_webhook_trigger, modify_webhook_trigger, delete_webhook_trigger,
        describe_webhook_trigger_log,
    }
    garbage_collection { create_gc_job, describe_gc_jobs, terminate_gc_job }
    replica {
        create_replication_instance, describe_replication_instances, describe_replication_instance_create_tasks,
        delete_replication_instance,
    }
    sync_rule {
        manage_replication, modify_replication, delete_replication_rule, describe_replication_policies,
        describe_replication_executions, describe_replication_tasks,
    }
    custom_domain {
        create_instance_customized_domain, describe_instance_customized_domain, delete_instance_customized_domain,
    }
    signature { create_signature_policy, delete_signature_policy, create_signature }
    ; unsupported("an internal endpoint is an address in a subnet of a VPC, and there is no VPC on one machine", "内网访问入口是私有网络子网中的地址，本机没有私有网络") {
        ManageInternalEndpointRequest, DescribeInternalEndpointsRequest, CreateInternalEndpointDnsRequest,
        DeleteInternalEndpointDnsRequest, DescribeInternalEndpointDnsStatusRequest
    }
    ; unsupported("a replica serves its instance's own content, so nothing is copied and there is no log of copying", "从实例直接提供主实例的内容，没有复制过程，也没有同步日志") {
        DescribeReplicationInstanceSyncStatusRequest
    }
    ; unsupported("instances have no bucket of their own; where layers are is said to `rookery serve --blobs`", "实例没有各自的存储桶，镜像层的位置由 `rookery serve --blobs` 指定") {
        ModifyInstanceStorageRequest
    }
    ; unsupported("the platform documents a reply without any namespace in it", "平台文档中该接口的返回不包含任何命名空间") {
        DescribeInstanceAllNamespacesRequest
    }
}

/// An instance as a whole.
fn on_instance(id: &str) -> Vec<Resource> {
    vec![Resource::named(format!("instance/{id}"))]
}

/// A namespace and all in it.
fn on_namespace(id: &str, namespace: &str) -> Vec<Resource> {
    vec![Resource::named(format!("repository/{id}/{namespace}"))]
}

/// A repository.
fn on_repository(id: &str, namespace: &str, repository: &str) -> Vec<Resource> {
    vec![Resource::named(format!("repository/{id}/{namespace}/{repository}"))]
}
