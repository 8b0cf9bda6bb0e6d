//! Logins of database clients.
#![no_main]

use libfuzzer_sys::fuzz_target;
use rookery_mariadb::Login;

fuzz_target!(|payload: &[u8]| {
    let Some(login) = Login::parse(payload) else { return };
    if let Some(again) = login.asked_again() {
        let read = Login::parse(&again).expect("what is asked again is a login");
        assert_eq!((read.user, read.database), (login.user, login.database));
    }
});
