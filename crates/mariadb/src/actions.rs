//! The actions, one file each.

use crate::MariaDb;

rookery_gateway::actions! { MariaDb:
    instance {
        create_db_instance, create_hour_db_instance, init_db_instances, describe_db_instances, describe_db_instance_detail,
        describe_instance_node_info, modify_db_instance_name, modify_db_instances_project,
        modify_instance_protected_property, restart_db_instances, upgrade_db_instance, upgrade_hour_db_instance,
        renew_db_instance, isolate_db_instance, isolate_hour_db_instance, activate_hour_db_instance, destroy_db_instance,
        destroy_hour_db_instance
    }
    replication { describe_db_sync_mode, modify_db_sync_mode, switch_db_instance_ha, describe_dcn_detail, cancel_dcn_job }
    order {
        describe_flow, describe_orders, describe_price, describe_renewal_price, describe_upgrade_price, describe_sale_info,
        describe_db_instance_specs
    }
    account {
        create_account, describe_accounts, delete_account, reset_account_password, modify_account_description,
        grant_account_privileges, modify_account_privileges, describe_account_privileges, copy_account_privileges,
        clone_account
    }
    database {
        describe_databases, describe_database_objects, describe_database_table, describe_db_parameters,
        modify_db_parameters, flush_binlog, describe_log_file_retention_period, modify_log_file_retention_period
    }
    session { describe_process_list, kill_session, describe_db_slow_logs }
    backup {
        describe_backup_configs, modify_backup_configs, describe_backup_time, modify_backup_time, describe_backup_files,
        describe_binlog_time, describe_db_log_files, describe_file_download_url, create_tmp_instances,
        describe_db_tmp_instances
    }
    security {
        associate_security_groups, disassociate_security_groups, modify_db_instance_security_groups,
        describe_db_security_groups, describe_project_security_groups, describe_instance_ssl_attributes,
        modify_instance_ssl_attributes, describe_db_encrypt_attributes, modify_db_encrypt_attributes
    }
    network {
        open_db_extranet_access, close_db_extranet_access, modify_instance_network, modify_instance_vip,
        modify_instance_vport, modify_real_server_access_strategy
    }
    ; unsupported(
        "It needs a dedicated cluster, which no action of this product makes and the product that does (dbdc) is not here.",
        "该操作需要独享集群，而创建独享集群的产品（dbdc）未实现。"
    ) {
        rookery_api::mariadb::CreateDedicatedClusterDBInstanceRequest,
        rookery_api::mariadb::IsolateDedicatedDBInstanceRequest,
        rookery_api::mariadb::TerminateDedicatedDBInstanceRequest,
        rookery_api::mariadb::UpgradeDedicatedDBInstanceRequest
    }
    ; unsupported(
        "It renames synchronisation tasks, which no action of this contract makes or lists.",
        "该操作用于修改同步任务名称，而现有接口无法创建或查询同步任务。"
    ) { rookery_api::mariadb::ModifySyncTaskAttributeRequest }
}
