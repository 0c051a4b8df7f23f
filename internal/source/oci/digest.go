package oci

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"regexp"
)

// digest is a SHA-256 digest. It can only be made by parseDigest and sumDigest, so no unchecked text from a manifest
// ever becomes part of a path or an address (CVE-2024-37032, CVE-2026-7020). The zero value is no digest.
type digest struct{ hex string }

var digestForm = regexp.MustCompile(`^sha256:[0-9a-f]{64}$`)

func parseDigest(s string) (digest, error) {
	if !digestForm.MatchString(s) {
		return digest{}, fmt.Errorf("%.100q is not a digest like sha256:<64 hex digits>", s)
	}
	return digest{hex: s[len("sha256:"):]}, nil
}

func sumDigest(data []byte) digest {
	sum := sha256.Sum256(data)
	return digest{hex: hex.EncodeToString(sum[:])}
}

func (d digest) String() string { return "sha256:" + d.hex }

// file is the name of the blob in Ollama's store.
func (d digest) file() string { return "sha256-" + d.hex }

// UnmarshalText makes every digest in a manifest pass parseDigest.
func (d *digest) UnmarshalText(b []byte) error {
	parsed, err := parseDigest(string(b))
	*d = parsed
	return err
}
