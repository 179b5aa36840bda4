"""The self-signed certificate: made once, the owner's alone, renewed in time."""

from __future__ import annotations

import ssl
from pathlib import Path

from cryptography import x509

from gateway import certificate


def test_it_is_made_once_and_usable(tmp_path: Path) -> None:
    chain, key = certificate.ensure(tmp_path, "192.0.2.7")
    assert certificate.ensure(tmp_path, "192.0.2.7") == (chain, key)
    before = chain.read_bytes()
    certificate.ensure(tmp_path, "192.0.2.7")
    assert chain.read_bytes() == before
    assert key.stat().st_mode & 0o077 == 0
    ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(chain, key)
    names = x509.load_pem_x509_certificate(before).extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert "localhost" in names.get_values_for_type(x509.DNSName)
    assert "192.0.2.7" in {str(each) for each in names.get_values_for_type(x509.IPAddress)}


def test_a_broken_one_is_replaced(tmp_path: Path) -> None:
    chain, _ = certificate.ensure(tmp_path, "antlitz.example")
    chain.write_text("not a certificate")
    certificate.ensure(tmp_path, "antlitz.example")
    assert b"BEGIN CERTIFICATE" in chain.read_bytes()
