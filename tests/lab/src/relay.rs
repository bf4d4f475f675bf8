//! Makes a port inside a namespace reachable on the machine's own loopback, so that a browser can
//! open the demo's pages although the lab is not connected to the machine.

use std::{
    io,
    net::{Ipv4Addr, Shutdown, SocketAddr, TcpListener, TcpStream},
    thread,
};

use super::namespace::Namespace;

/// Listens on 127.0.0.1 at the wanted port, or at a free one if that is taken, and relays every
/// connection to `to` in the namespace. Ends with the process. Returns the address.
pub fn start(wanted: u16, namespace: Namespace, to: SocketAddr) -> io::Result<SocketAddr> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, wanted))
        .or_else(|_| TcpListener::bind((Ipv4Addr::LOCALHOST, 0)))?;
    let address = listener.local_addr()?;
    thread::spawn(move || {
        for client in listener.incoming().flatten() {
            let namespace = namespace.clone();
            thread::spawn(move || {
                // If the server is gone the client is simply closed.
                let _ = namespace.dial(to).and_then(|server| join(&client, &server));
            });
        }
    });
    Ok(address)
}

fn join(client: &TcpStream, server: &TcpStream) -> io::Result<()> {
    let (from_client, to_server) = (client.try_clone()?, server.try_clone()?);
    let upward = thread::spawn(move || pass(&from_client, &to_server));
    pass(server, client);
    let _ = upward.join();
    Ok(())
}

fn pass(mut from: &TcpStream, mut to: &TcpStream) {
    let _ = io::copy(&mut from, &mut to);
    let _ = to.shutdown(Shutdown::Write);
}
