//! The actions, one file each.

#[cfg(test)]
mod data_key_tests;
#[cfg(test)]
mod post_quantum_tests;
#[cfg(test)]
pub(crate) mod scene;
#[cfg(test)]
mod whitebox_tests;

use crate::Kms;

rookery_gateway::actions! { Kms:
    key {
        create_key, describe_key, describe_keys, list_keys, list_key_detail, enable_key, enable_keys, disable_key, disable_keys,
        archive_key, cancel_key_archive, schedule_key_deletion, cancel_key_deletion, update_alias, update_key_description
    }
    rotation { enable_key_rotation, disable_key_rotation, get_key_rotation_status, rotate_key }
    import { get_parameters_for_import, import_key_material, delete_imported_key_material }
    binding { bind_cloud_resource, unbind_cloud_resource }
    service { get_regions, get_service_status, list_algorithms }
    symmetric { encrypt, decrypt, re_encrypt, generate_data_key, generate_random }
    asymmetric {
        get_public_key, sign_by_asymmetric_key, verify_by_asymmetric_key, asymmetric_rsa_decrypt,
        asymmetric_sm2_decrypt
    }
    post_quantum {
        post_quantum_crypto_encrypt, post_quantum_crypto_decrypt, post_quantum_crypto_sign, post_quantum_crypto_verify
    }
    data_key {
        import_data_key, describe_data_key, describe_data_keys, list_data_keys, list_data_key_detail, get_data_key_plaintext,
        get_data_key_ciphertext_blob, enable_data_key, enable_data_keys, disable_data_key, disable_data_keys,
        schedule_data_key_deletion, cancel_data_key_deletion, update_data_key_name, update_data_key_description
    }
    whitebox {
        create_white_box_key, describe_white_box_key, describe_white_box_key_details, describe_white_box_decrypt_key,
        describe_white_box_device_fingerprints, overwrite_white_box_device_fingerprints,
        describe_white_box_service_status, encrypt_by_white_box, enable_white_box_key, enable_white_box_keys,
        disable_white_box_key, disable_white_box_keys, delete_white_box_key
    }
}
