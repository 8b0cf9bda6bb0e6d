//! The certificate of an instance: made by the cloud's authority for the addresses that the instance has, kept in files that its servers
//! read, and made anew when its addresses change or its end comes near.

use std::fs;
use std::path::PathBuf;
use std::sync::Arc;

use rookery_gateway::tls::{CertificateAuthority, TlsError};
use rustls::ClientConfig;
use rustls::RootCertStore;
use rustls::ServerConfig;
use rustls::crypto::aws_lc_rs;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use time::Duration;

use crate::MariaDb;
use crate::door::Tls as DoorTls;
use crate::error::Error;
use crate::instances::InstanceRow;
use crate::moments::Moment;
use crate::security::Tls;
use crate::server::{private_directory, write_private};

/// The authority's certificate, the instance's and its key, in [`MariaDb::certificates`].
pub(crate) const AUTHORITY: &str = "ca.pem";
pub(crate) const CERTIFICATE: &str = "certificate.pem";
pub(crate) const KEY: &str = "key.pem";
/// Until when the certificate holds, in seconds, and the names in it, a line for each.
const MADE_FOR: &str = "made-for";
/// A certificate is made anew so long before its end.
const AHEAD: Duration = Duration::days(30);

impl MariaDb {
    /// Where the certificate of an instance is.
    pub(crate) fn certificates(&self, id: &str) -> PathBuf {
        self.places.certificates(id)
    }

    /// The authority that certifies instances.
    pub(crate) fn authority(&self) -> Result<&Arc<CertificateAuthority>, Error> {
        self.authority.as_ref().ok_or_else(|| {
            Error::refuse(
                rookery_api::mariadb::ErrorCode::UnsupportedOperationSSLNotSupported,
                "This cloud has no authority for certificates.",
                "当前环境没有证书颁发机构。",
            )
        })
    }

    /// What the certificate of an instance names: every address where it can be reached, and its public name.
    fn names(&self, row: &InstanceRow) -> Vec<String> {
        let mut names: Vec<String> =
            self.addresses(row).into_iter().map(|address| address.ip().to_string()).collect();
        if row.network.is_public() {
            names.push(self.public.name());
        }
        names.sort();
        names.dedup();
        names
    }

    /// Makes the certificate of an instance, where there is none that fits. Its end, where TLS is on.
    pub(crate) fn certify(&self, id: &str, row: &InstanceRow) -> Result<Option<Moment>, Error> {
        if row.security.tls != Tls::On {
            return Ok(None);
        }
        let (directory, names, now) = (self.certificates(id), self.names(row), self.now());
        let made_for = fs::read_to_string(directory.join(MADE_FOR)).unwrap_or_default();
        if let Some(until) = until(&made_for, &names)
            && now.plus(AHEAD) < until
        {
            return Ok(Some(until));
        }
        // Servers have to be told, also if this is cut off in the middle.
        self.certified.lock().remove(id);
        let authority = self.authority()?;
        let made = authority.server_certificate(&names, self.world.now())?;
        private_directory(&directory)?;
        write_private(&directory.join(AUTHORITY), authority.pem())?;
        write_private(&directory.join(KEY), &made.key)?;
        write_private(&directory.join(CERTIFICATE), &made.certificate)?;
        let until = Moment::from(made.until);
        write_private(&directory.join(MADE_FOR), &format!("{}\n{}", until.0, names.join("\n")))?;
        Ok(Some(until))
    }

    /// As [`certify`](Self::certify), and servers that may have another one read it.
    pub(crate) async fn recertify(&self, id: &str, row: &InstanceRow) -> Result<(), Error> {
        let Some(until) = self.certify(id, row)? else { return Ok(()) };
        if self.certified.lock().get(id) == Some(&until) {
            return Ok(());
        }
        let mut told = 0;
        for node in row.nodes.iter().filter(|node| self.is_ready(id, node)) {
            // Told to each by itself: in the binary log of a standby it would be a history of its own.
            self.connect(id, node).await?.run("FLUSH LOCAL SSL").await?;
            told += 1;
        }
        // One that is not there yet may be adopted, with whatever it has.
        if told == row.nodes.len() {
            self.certified.lock().insert(id.to_owned(), until);
        }
        Ok(())
    }

    /// Whether the certificate of an instance has to be made anew soon.
    pub(crate) fn is_certificate_due(&self, id: &str, row: &InstanceRow) -> bool {
        let due = |until: &Moment| *until <= self.now().plus(AHEAD);
        row.security.tls == Tls::On && self.certified.lock().get(id).is_none_or(due)
    }

    /// What the door needs to speak TLS, to clients as the instance and to its servers as their client.
    pub(crate) fn door_tls(&self, id: &str, row: &InstanceRow) -> Result<DoorTls, Error> {
        let directory = self.certificates(id);
        let unreadable = |_| Error::Inconsistent("the certificate of an instance is no PEM");
        let certificate =
            CertificateDer::from_pem_slice(&fs::read(directory.join(CERTIFICATE))?).map_err(unreadable)?;
        let key = PrivateKeyDer::from_pem_slice(&fs::read(directory.join(KEY))?).map_err(unreadable)?;
        let authority =
            CertificateDer::from_pem_slice(&fs::read(directory.join(AUTHORITY))?).map_err(unreadable)?;
        let (server, client) = configurations(certificate, key, authority).map_err(TlsError::from)?;
        Ok(DoorTls {
            server: Arc::new(server).into(),
            client: Arc::new(client).into(),
            name: ServerName::IpAddress(row.address.ip().into()),
        })
    }
}

fn configurations(
    certificate: CertificateDer<'static>,
    key: PrivateKeyDer<'static>,
    authority: CertificateDer<'static>,
) -> Result<(ServerConfig, ClientConfig), rustls::Error> {
    let provider = Arc::new(aws_lc_rs::default_provider());
    let server = ServerConfig::builder_with_provider(Arc::clone(&provider))
        .with_safe_default_protocol_versions()?
        .with_no_client_auth()
        .with_single_cert(vec![certificate], key)?;
    let mut roots = RootCertStore::empty();
    roots.add(authority)?;
    let client = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()?
        .with_root_certificates(roots)
        .with_no_client_auth();
    Ok((server, client))
}

/// The end of a certificate that was made for these names; `None` for one that was made for others.
fn until(made_for: &str, names: &[String]) -> Option<Moment> {
    let mut lines = made_for.lines();
    let until = lines.next()?.parse().ok()?;
    lines.eq(names).then_some(Moment(until))
}

#[cfg(test)]
mod tests {
    use rookery_api::ErrorCode as _;
    use rookery_gateway::Refusal as _;
    use rookery_seal::Seal;
    use rookery_store::Store;
    use rookery_world::World;
    use time::macros::datetime;

    use super::*;
    use crate::Options;
    use crate::network::{Public, PublicState};

    #[tokio::test]
    async fn a_certificate_is_made_for_the_addresses_and_anew_before_its_end() {
        let place = tempfile::tempdir().unwrap();
        let world = World::pinned(datetime!(2026-11-22 09:00 UTC), 1);
        let authority = CertificateAuthority::open_or_create(place.path(), world.now()).unwrap();
        let options = Options { authority: Some(Arc::new(authority)), ..Options::new(place.path()) };
        let (store, seal) = (Store::in_memory(), Seal::ephemeral().unwrap());
        let mariadb = MariaDb::new(options, store, seal, world.clone()).unwrap();
        let mut row = InstanceRow::sample();
        assert!(
            mariadb.certify("i", &row).unwrap().is_none() && !mariadb.is_certificate_due("i", &row),
            "TLS is off"
        );
        row.security.tls = Tls::On;
        let made = || fs::read_to_string(mariadb.certificates("i").join(CERTIFICATE)).unwrap();
        mariadb.recertify("i", &row).await.unwrap();
        let first = made();
        assert!(mariadb.door_tls("i", &row).is_ok());
        assert!(mariadb.is_certificate_due("i", &row), "no server has it");
        mariadb.recertify("i", &row).await.unwrap();
        assert_eq!(made(), first);
        row.network.public = Some(Public { port: 12_345, state: PublicState::Open });
        let until = mariadb.certify("i", &row).unwrap().unwrap();
        let second = made();
        assert_ne!(second, first, "it has another address");
        mariadb.certified.lock().insert("i".to_owned(), until);
        world.advance(Duration::days(366));
        assert!(!mariadb.is_certificate_due("i", &row) && mariadb.certify("i", &row).unwrap() == Some(until));
        world.advance(Duration::days(2));
        assert!(mariadb.is_certificate_due("i", &row));
        assert!(mariadb.certify("i", &row).unwrap().unwrap() > until && made() != second);
        assert!(mariadb.is_certificate_due("i", &row), "servers have the former one");
        fs::write(mariadb.certificates("i").join(KEY), "no key").unwrap();
        assert!(mariadb.door_tls("i", &row).is_err());
    }

    #[test]
    fn without_an_authority_there_is_no_tls() {
        let place = tempfile::tempdir().unwrap();
        let (store, seal) = (Store::in_memory(), Seal::ephemeral().unwrap());
        let mariadb = MariaDb::new(Options::new(place.path()), store, seal, World::system()).unwrap();
        let refused = mariadb.authority().unwrap_err();
        assert_eq!(refused.code().name(), "UnsupportedOperation.SSLNotSupported");
    }

    #[test]
    fn a_certificate_fits_its_own_names_only() {
        let names = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>();
        assert_eq!(
            until("77\n127.64.0.4\nlocalhost", &names(&["127.64.0.4", "localhost"])),
            Some(Moment(77))
        );
        assert_eq!(until("77\n127.64.0.4", &names(&["127.64.0.4", "localhost"])), None);
        assert_eq!(until("", &names(&[])), None);
        assert_eq!(until("soon\n", &names(&[])), None);
    }
}
