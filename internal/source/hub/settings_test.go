package hub_test

import (
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/llmcheck/llmcheck/internal/source/hub"
)

func TestSettingsFrom(t *testing.T) {
	files := map[string]string{
		"/home/u/.cache/huggingface/token": "hf_home\n", "/hf/token": " hf_hfhome ", "/t": "hf_path", "/empty": "\n",
	}
	for _, tt := range []struct {
		name string
		env  map[string]string
		want hub.Settings
	}{
		{"nothing set", nil, hub.Settings{
			Endpoint: "https://huggingface.co", Token: "hf_home", TokenFrom: "/home/u/.cache/huggingface/token",
			HubCache: "/home/u/.cache/huggingface/hub",
		}},
		{"token variable wins", map[string]string{"HF_TOKEN": " hf_env\n", "HUGGING_FACE_HUB_TOKEN": "hf_old"}, hub.Settings{
			Endpoint: "https://huggingface.co", Token: "hf_env", TokenFrom: "HF_TOKEN", HubCache: "/home/u/.cache/huggingface/hub",
		}},
		{"old token variable, mirror", map[string]string{"HUGGING_FACE_HUB_TOKEN": "hf_old", "HF_ENDPOINT": "https://mirror.test/hf/"}, hub.Settings{
			Endpoint: "https://mirror.test/hf", Token: "hf_old", TokenFrom: "HUGGING_FACE_HUB_TOKEN",
			HubCache: "/home/u/.cache/huggingface/hub",
		}},
		{"home moved", map[string]string{"HF_HOME": "/hf", "HF_HUB_OFFLINE": "1"}, hub.Settings{
			Endpoint: "https://huggingface.co", Token: "hf_hfhome", TokenFrom: "/hf/token", HubCache: "/hf/hub", Offline: true,
		}},
		{"each by itself", map[string]string{"HF_TOKEN_PATH": "/t", "HF_HUB_CACHE": "~/models", "TRANSFORMERS_OFFLINE": "yes"}, hub.Settings{
			Endpoint: "https://huggingface.co", Token: "hf_path", TokenFrom: "/t", HubCache: "/home/u/models", Offline: true,
		}},
		{"cache moved", map[string]string{"XDG_CACHE_HOME": "/xdg", "HF_HUB_OFFLINE": "0"}, hub.Settings{
			Endpoint: "https://huggingface.co", HubCache: "/xdg/huggingface/hub",
		}},
		{"no token wanted", map[string]string{"HF_TOKEN": "hf_env", "HF_HUB_DISABLE_IMPLICIT_TOKEN": "1"}, hub.Settings{
			Endpoint: "https://huggingface.co", HubCache: "/home/u/.cache/huggingface/hub",
		}},
		{"empty file", map[string]string{"HF_TOKEN_PATH": "/empty", "HF_TOKEN": "  "}, hub.Settings{
			Endpoint: "https://huggingface.co", HubCache: "/home/u/.cache/huggingface/hub",
		}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			getenv := func(k string) string { return tt.env[k] }
			read := func(name string) ([]byte, error) {
				if s, ok := files[name]; ok {
					return []byte(s), nil
				}
				return nil, errors.New("no such file")
			}
			if d := cmp.Diff(tt.want, hub.SettingsFrom(getenv, read, "/home/u")); d != "" {
				t.Errorf("(-want +got):\n%s", d)
			}
		})
	}
	s := hub.SettingsFrom(func(string) string { return "" }, func(string) ([]byte, error) { return nil, errors.New("none") }, "")
	if d := cmp.Diff(hub.Settings{Endpoint: "https://huggingface.co"}, s); d != "" {
		t.Errorf("no home (-want +got):\n%s", d)
	}
}
