package hub

import (
	"path/filepath"
	"strings"
)

// DefaultEndpoint is the public hub.
const DefaultEndpoint = "https://huggingface.co"

// Settings are what the environment says about the hub, in the words and with the precedence of huggingface_hub, so that
// a machine that is set up for it needs nothing more:
//
//	HF_ENDPOINT                     address of the hub or of a mirror
//	HF_TOKEN, HUGGING_FACE_HUB_TOKEN    the access token
//	HF_TOKEN_PATH                   the file that holds it, else HF_HOME/token
//	HF_HUB_DISABLE_IMPLICIT_TOKEN   send no token
//	HF_HUB_OFFLINE, TRANSFORMERS_OFFLINE    ask nobody
//	HF_HOME                         the folder of both, else XDG_CACHE_HOME/huggingface or ~/.cache/huggingface
//	HF_HUB_CACHE, HUGGINGFACE_HUB_CACHE     the downloaded models, else HF_HOME/hub
type Settings struct {
	Endpoint  string
	Token     string
	TokenFrom string // the variable or file that gave the token; "" if there is none
	Offline   bool
	HubCache  string // huggingface_hub's cache of models, which we read and never write
}

// SettingsFrom reads the settings through getenv and readFile; home is the user's home folder, "" if not known.
func SettingsFrom(getenv func(string) string, readFile func(string) ([]byte, error), home string) Settings {
	get := func(names ...string) (value, name string) {
		for _, n := range names {
			if v := strings.TrimSpace(getenv(n)); v != "" {
				return v, n
			}
		}
		return "", ""
	}
	path := func(fallback string, names ...string) string {
		if v, _ := get(names...); v != "" {
			return expand(v, home)
		}
		return fallback
	}
	cache := path(under(home, ".cache"), "XDG_CACHE_HOME")
	hf := path(under(cache, "huggingface"), "HF_HOME")
	s := Settings{Endpoint: DefaultEndpoint, HubCache: path(under(hf, "hub"), "HF_HUB_CACHE", "HUGGINGFACE_HUB_CACHE")}
	if v, _ := get("HF_ENDPOINT"); v != "" {
		s.Endpoint = strings.TrimRight(v, "/")
	}
	offline, _ := get("HF_HUB_OFFLINE", "TRANSFORMERS_OFFLINE")
	s.Offline = isTrue(offline)
	if v, _ := get("HF_HUB_DISABLE_IMPLICIT_TOKEN"); isTrue(v) {
		return s
	}
	s.Token, s.TokenFrom = get("HF_TOKEN", "HUGGING_FACE_HUB_TOKEN")
	if s.Token == "" {
		s.Token, s.TokenFrom = tokenFile(readFile, path(under(hf, "token"), "HF_TOKEN_PATH"))
	}
	return s
}

// maxToken is the longest content of a token file that is taken for a token, in bytes.
const maxToken = 4096

func tokenFile(readFile func(string) ([]byte, error), name string) (token, from string) {
	if name == "" {
		return "", ""
	}
	b, err := readFile(name)
	token = strings.TrimSpace(string(b))
	if err != nil || token == "" || len(token) > maxToken {
		return "", ""
	}
	return token, name
}

func under(dir, name string) string {
	if dir == "" {
		return ""
	}
	return filepath.Join(dir, name)
}

func expand(p, home string) string {
	if rest, ok := strings.CutPrefix(p, "~"); ok && home != "" && (rest == "" || rest[0] == '/' || rest[0] == filepath.Separator) {
		return filepath.Join(home, rest)
	}
	return p
}

func isTrue(s string) bool {
	switch strings.ToUpper(s) {
	case "1", "ON", "YES", "TRUE":
		return true
	}
	return false
}
