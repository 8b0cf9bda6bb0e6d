//! Loopback addresses: a block of four for each instance, its own and one for each of its servers, all with the port 3306.
//!
//! Linux answers on all of 127.0.0.0/8. Where it does not, everything is on 127.0.0.1, with ports that are free at the moment.

use std::net::{IpAddr, Ipv4Addr, SocketAddr, TcpListener};

use rookery_api::mariadb::ErrorCode;
use rookery_world::World;

use crate::error::Error;

pub(crate) const PORT: u16 = 3306;
const TRIES: usize = 64;

/// The address of an instance, and of three servers behind it; none of them is in `taken`, or used by anybody on this machine.
pub(crate) fn block(world: &World, taken: &[SocketAddr]) -> Result<[SocketAddr; 4], Error> {
    for _ in 0..TRIES {
        let random = world.uuid().into_bytes();
        // Not below 127.64: the beginning is where people put their own.
        let (second, third, fourth) = (64 | (random[0] & 63), random[1], random[2] & 0b1111_1100);
        let at = |offset: u8| {
            SocketAddr::new(IpAddr::V4(Ipv4Addr::new(127, second, third, fourth + offset)), PORT)
        };
        let block = [at(0), at(1), at(2), at(3)];
        if (second, fourth) == (127, 252)
            || fourth == 0
            || block.iter().any(|address| taken.contains(address))
        {
            continue;
        }
        let bound: Result<Vec<_>, _> = block.iter().map(TcpListener::bind).collect();
        match bound {
            Ok(_) => return Ok(block),
            Err(error) if error.kind() == std::io::ErrorKind::AddrNotAvailable => return ports(),
            Err(_) => {}
        }
    }
    Err(Error::refuse(
        ErrorCode::ResourceInsufficient,
        format!("No four addresses in a row of 127.64.0.0/10 are free at port {PORT} on this machine."),
        format!("本机 127.64.0.0/10 中没有可用于端口 {PORT} 的连续四个地址。"),
    ))
}

fn ports() -> Result<[SocketAddr; 4], Error> {
    let bind = |_| TcpListener::bind((Ipv4Addr::LOCALHOST, 0));
    // Held together, so that the system does not give one twice.
    let listeners = [bind(0)?, bind(1)?, bind(2)?, bind(3)?];
    let mut block = [SocketAddr::from((Ipv4Addr::LOCALHOST, 0)); 4];
    for (address, listener) in block.iter_mut().zip(&listeners) {
        *address = listener.local_addr()?;
    }
    Ok(block)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blocks_are_free_and_apart() {
        let world = World::system();
        let one = block(&world, &[]).unwrap();
        assert!(one.iter().all(|address| address.ip().is_loopback() && address.port() == PORT));
        let two = block(&world, &one).unwrap();
        assert!(two.iter().all(|address| !one.contains(address)));
        let pinned = World::pinned(time::OffsetDateTime::UNIX_EPOCH, 1);
        let taken = block(&pinned, &[]).unwrap();
        let _held: Vec<_> = taken.iter().map(TcpListener::bind).collect();
        let other = block(&World::pinned(time::OffsetDateTime::UNIX_EPOCH, 1), &[]).unwrap();
        assert!(other.iter().all(|address| !taken.contains(address)), "somebody listens there");
        let fallback = ports().unwrap();
        assert!(fallback.iter().all(|address| address.port() != 0));
    }
}
