//! OIDC tokens: JSON Web Tokens signed with RS256 or ES256 by a key of the provider's set, for one of its clients, in their time.

use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED, RSA_PKCS1_2048_8192_SHA256, RsaPublicKeyComponents, UnparsedPublicKey,
};
use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use serde::Deserialize;
use serde_json::{Map, Value};

use crate::cam::providers::{OidcProviderRow, decoded};

/// Seconds by which the provider's clock may be ahead.
const LEEWAY: i64 = 60;
/// The longest token.
const LONGEST: usize = 16 * 1024;

/// What a token says of its bearer.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Claims {
    pub(crate) issuer: String,
    pub(crate) subject: String,
    /// Those of the provider's clients that it is for.
    pub(crate) audiences: Vec<String>,
}

#[derive(Deserialize)]
struct Header {
    alg: String,
    #[serde(default)]
    kid: Option<String>,
    /// Extensions that must be understood; none is.
    #[serde(default)]
    crit: Option<Value>,
}

/// A key of a set, as far as it is of use.
#[derive(Deserialize)]
struct Jwk {
    kty: String,
    #[serde(default)]
    kid: Option<String>,
    #[serde(default)]
    alg: Option<String>,
    #[serde(default, rename = "use")]
    purpose: Option<String>,
    #[serde(default)]
    crv: String,
    #[serde(default)]
    n: String,
    #[serde(default)]
    e: String,
    #[serde(default)]
    x: String,
    #[serde(default)]
    y: String,
}

#[derive(Deserialize)]
struct Jwks {
    keys: Vec<Value>,
}

/// Verifies a token of the provider; else says in words what is wrong with it.
pub(crate) fn verify(token: &str, provider: &OidcProviderRow, now: i64) -> Result<Claims, &'static str> {
    if token.len() > LONGEST {
        return Err("it is too long");
    }
    let (signed, signature) = token.rsplit_once('.').ok_or("it is no JSON Web Token")?;
    let (header, claims) = signed.split_once('.').ok_or("it is no JSON Web Token")?;
    let header: Header = part(header).ok_or("its header cannot be read")?;
    let signature = BASE64_URL_SAFE_NO_PAD.decode(signature).map_err(|_| "its signature cannot be read")?;
    if header.crit.is_some() {
        return Err("it has extensions that are not understood");
    }
    let keys = decoded(&provider.identity_key).ok_or("the provider's keys cannot be read")?;
    let keys: Jwks = serde_json::from_str(&keys).map_err(|_| "the provider's keys cannot be read")?;
    let good = keys
        .keys
        .into_iter()
        .filter_map(|key| serde_json::from_value::<Jwk>(key).ok())
        .filter(|key| header.kid.is_none() || key.kid.is_none() || key.kid == header.kid)
        .any(|key| key.verifies(&header.alg, signed.as_bytes(), &signature));
    if !good {
        return Err("no key of the provider verifies its signature");
    }
    let claims: Map<String, Value> = part(claims).ok_or("its claims cannot be read")?;
    check(&claims, provider, now)
}

fn part<T: serde::de::DeserializeOwned>(text: &str) -> Option<T> {
    serde_json::from_slice(&BASE64_URL_SAFE_NO_PAD.decode(text).ok()?).ok()
}

impl Jwk {
    /// Whether this key, for its own algorithm only, verifies the signature.
    fn verifies(&self, algorithm: &str, signed: &[u8], signature: &[u8]) -> bool {
        if self.purpose.as_deref().is_some_and(|purpose| purpose != "sig")
            || self.alg.as_deref().is_some_and(|own| own != algorithm)
        {
            return false;
        }
        let number = |text: &str| BASE64_URL_SAFE_NO_PAD.decode(text).ok();
        match (algorithm, self.kty.as_str(), self.crv.as_str()) {
            ("RS256", "RSA", _) => {
                let (Some(n), Some(e)) = (number(&self.n), number(&self.e)) else { return false };
                let key = RsaPublicKeyComponents { n, e };
                key.verify(&RSA_PKCS1_2048_8192_SHA256, signed, signature).is_ok()
            }
            ("ES256", "EC", "P-256") => {
                let (Some(x), Some(y)) = (number(&self.x), number(&self.y)) else { return false };
                let point = [&[4][..], &x, &y].concat();
                UnparsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, point).verify(signed, signature).is_ok()
            }
            _ => false,
        }
    }
}

fn check(claims: &Map<String, Value>, provider: &OidcProviderRow, now: i64) -> Result<Claims, &'static str> {
    let text = |name: &str| claims.get(name).and_then(Value::as_str).filter(|text| !text.is_empty());
    let moment = |name: &str| match claims.get(name) {
        None => Ok(None),
        // Some providers write fractions of a second.
        #[allow(
            clippy::cast_possible_truncation,
            reason = "a float saturates, and out of reach is out of time"
        )]
        Some(value) => value.as_f64().map(|seconds| Some(seconds as i64)).ok_or("a time in it is no number"),
    };
    let issuer = text("iss").ok_or("it names no issuer")?;
    if issuer.trim_end_matches('/') != provider.identity_url.trim_end_matches('/') {
        return Err("its issuer is not the provider");
    }
    let subject = text("sub").ok_or("it names no subject")?;
    let audiences: Vec<&str> = match claims.get("aud") {
        Some(Value::String(one)) => vec![one],
        Some(Value::Array(several)) => several.iter().filter_map(Value::as_str).collect(),
        _ => Vec::new(),
    };
    let audiences: Vec<String> = audiences
        .into_iter()
        .filter(|audience| provider.client_ids.iter().any(|client| client == audience))
        .map(str::to_owned)
        .collect();
    if audiences.is_empty() {
        return Err("it is for no client of the provider");
    }
    if moment("exp")?.ok_or("it has no end")? <= now {
        return Err("it has expired");
    }
    for name in ["nbf", "iat"] {
        if moment(name)?.is_some_and(|from| from > now + LEEWAY) {
            return Err("it is from the future");
        }
    }
    Ok(Claims { issuer: issuer.to_owned(), subject: subject.to_owned(), audiences })
}

#[cfg(test)]
mod tests {
    use aws_lc_rs::rand::SystemRandom;
    use aws_lc_rs::rsa::KeySize;
    use aws_lc_rs::signature::{
        ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair, RSA_PKCS1_SHA256, RsaKeyPair,
    };
    use base64::prelude::BASE64_STANDARD;
    use serde_json::json;

    use super::*;

    const NOW: i64 = 1_800_000_000;

    struct Provider {
        rsa: RsaKeyPair,
        ec: EcdsaKeyPair,
    }

    fn encode(bytes: impl AsRef<[u8]>) -> String {
        BASE64_URL_SAFE_NO_PAD.encode(bytes)
    }

    impl Provider {
        fn new() -> Self {
            Self {
                rsa: RsaKeyPair::generate(KeySize::Rsa2048).unwrap(),
                ec: EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING).unwrap(),
            }
        }

        fn row(&self) -> OidcProviderRow {
            // SEQUENCE { INTEGER n, INTEGER 65537 }: nine bytes before the 256 of the modulus.
            let public = self.rsa.public_key().as_ref();
            let point = self.ec.public_key().as_ref();
            let set = json!({"keys": [
                {"kty": "oct", "k": "AAAA"},
                {"kty": "RSA", "kid": "r", "use": "sig", "alg": "RS256",
                 "n": encode(&public[9..265]), "e": "AQAB"},
                {"kty": "EC", "kid": "e", "crv": "P-256", "x": encode(&point[1..33]), "y": encode(&point[33..])},
            ]});
            OidcProviderRow {
                identity_url: "https://idp.example.com/".to_owned(),
                identity_key: BASE64_STANDARD.encode(set.to_string()),
                client_ids: vec!["app".to_owned(), "other".to_owned()],
                description: String::new(),
            }
        }

        fn sign(&self, header: &Value, claims: &Value) -> String {
            let signed = format!("{}.{}", encode(header.to_string()), encode(claims.to_string()));
            let random = SystemRandom::new();
            let signature = if header["alg"] == "ES256" {
                self.ec.sign(&random, signed.as_bytes()).unwrap().as_ref().to_vec()
            } else {
                let mut signature = vec![0; self.rsa.public_modulus_len()];
                self.rsa.sign(&RSA_PKCS1_SHA256, &random, signed.as_bytes(), &mut signature).unwrap();
                signature
            };
            format!("{signed}.{}", encode(signature))
        }
    }

    fn claims() -> Value {
        json!({"iss": "https://idp.example.com", "sub": "ci", "aud": ["app", "elsewhere"], "exp": NOW + 60,
               "iat": NOW, "nbf": NOW})
    }

    #[test]
    fn tokens_of_the_provider_open() {
        let provider = Provider::new();
        for header in [
            json!({"alg": "RS256", "kid": "r"}),
            json!({"alg": "ES256", "kid": "e", "typ": "JWT"}),
            json!({"alg": "RS256"}),
        ] {
            let claims = verify(&provider.sign(&header, &claims()), &provider.row(), NOW).unwrap();
            assert_eq!((claims.subject.as_str(), claims.audiences), ("ci", vec!["app".to_owned()]));
        }
    }

    #[test]
    fn every_other_token_is_refused_with_its_reason() {
        let provider = Provider::new();
        let header = json!({"alg": "RS256", "kid": "r"});
        let with = |name: &str, value: Value| {
            let mut claims = claims();
            claims[name] = value;
            claims
        };
        for (claims, reason) in [
            (with("iss", json!("https://evil.example.com")), "issuer"),
            (with("sub", json!("")), "subject"),
            (with("aud", json!("elsewhere")), "client"),
            (with("aud", Value::Null), "client"),
            (with("exp", json!(NOW)), "expired"),
            (with("exp", Value::Null), "number"),
            (with("exp", json!("tomorrow")), "number"),
            (with("nbf", json!(NOW + 61)), "future"),
            (with("iat", json!(NOW + 3600)), "future"),
        ] {
            let refused = verify(&provider.sign(&header, &claims), &provider.row(), NOW).unwrap_err();
            assert!(refused.contains(reason), "{claims}: {refused}");
        }
        let good = provider.sign(&header, &claims());
        for header in [
            json!({"alg": "RS256", "kid": "e"}),
            json!({"alg": "RS256", "kid": "unknown"}),
            json!({"alg": "RS256", "kid": "r", "crit": ["b64"]}),
            json!({"alg": "RS512", "kid": "r"}),
            json!({"alg": "HS256"}),
        ] {
            assert!(verify(&provider.sign(&header, &claims()), &provider.row(), NOW).is_err(), "{header}");
        }
        let unsigned = format!("{}.{}.", encode(r#"{"alg":"none"}"#), encode(claims().to_string()));
        let parts: Vec<&str> = good.split('.').collect();
        let elsewhere = encode(with("sub", json!("root")).to_string());
        for token in [
            String::new(),
            "a.b".to_owned(),
            "..".to_owned(),
            unsigned,
            format!("{}.{}.{}", parts[0], elsewhere, parts[2]),
            "x".repeat(LONGEST + 1),
        ] {
            assert!(verify(&token, &provider.row(), NOW).is_err(), "{token}");
        }
        assert!(verify(&good, &Provider::new().row(), NOW).is_err(), "another provider's keys");
        let broken = OidcProviderRow { identity_key: String::new(), ..provider.row() };
        assert!(verify(&good, &broken, NOW).unwrap_err().contains("cannot be read"));
    }
}
