package cli

import (
	"fmt"
	"io/fs"
	"net"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"runtime/debug"
	"slices"
	"strings"
	"sync"

	"github.com/llmcheck/llmcheck/internal/config"
	"github.com/llmcheck/llmcheck/internal/diligence"
	"github.com/llmcheck/llmcheck/internal/fetch"
	"github.com/llmcheck/llmcheck/internal/license/identify"
	"github.com/llmcheck/llmcheck/internal/model"
	"github.com/llmcheck/llmcheck/internal/serve"
	"github.com/llmcheck/llmcheck/internal/source"
	"github.com/llmcheck/llmcheck/internal/source/hub"
	"github.com/llmcheck/llmcheck/internal/source/local"
	"github.com/llmcheck/llmcheck/internal/source/oci"
	"github.com/llmcheck/llmcheck/internal/speed"
	"github.com/llmcheck/llmcheck/internal/train"
	trained "github.com/llmcheck/llmcheck/internal/train/catalog"
)

// deps puts together what answers are made from. Nothing is opened or asked before it is needed.
func (g *global) deps(c *config.Config, asked []model.Ref, hear func(fetch.Event)) (diligence.Deps, error) {
	known, err := g.catalogs(c.Catalog)
	if err != nil {
		return diligence.Deps{}, err
	}
	opener, offline, err := g.app.sources(c, asked, hear)
	if err != nil {
		return diligence.Deps{}, err
	}
	info, _ := debug.ReadBuildInfo() // without it the version is "devel"
	return diligence.Deps{
		Models: opener, Licenses: known.Licenses, Known: known.Models, Cards: known.GPUs, Engine: serve.FindEngine, Speed: sync.OnceValues(speed.Default), Training: sync.OnceValues(train.Default), Fabric: trained.Fabric, Measured: known.Measured, Prices: known.Prices,
		Texts: identify.Default, Now: g.app.Now,
		Version: version(info), Offline: offline,
	}, nil
}

// sources says who opens which references.
func (a *App) sources(c *config.Config, asked []model.Ref, hear func(fetch.Event)) (source.Mux, bool, error) {
	disk := local.Disk{Home: a.Home}
	h := hub.SettingsFrom(a.Getenv, os.ReadFile, a.Home)
	offline := c.Offline || h.Offline
	info, _ := debug.ReadBuildInfo() // without it the version is "devel"
	client, err := fetch.New(fetch.Options{
		Endpoint: h.Endpoint, Token: h.Token, Offline: offline, CacheDir: a.cache(c.Cache), Proxy: http.ProxyFromEnvironment,
		Hosts: a.hosts(asked), Secrets: proxySecrets(a.Getenv), UserAgent: "llmcheck/" + version(info), Now: a.Now, Sleep: a.Sleep,
		Progress: hear,
	})
	if err != nil {
		return nil, false, usage(fmt.Errorf("preparing requests: %w", err), "check HF_ENDPOINT and the settings of the proxy")
	}
	repositories := &hub.Opener{Client: client, Fallback: local.Cache{Dir: h.HubCache}}
	registry := oci.New(oci.Options{
		Client: client.HTTPClient(), Offline: offline, PlainHTTP: loopback, OllamaRegistry: a.Getenv("LLMCHECK_OLLAMA_REGISTRY"),
		OllamaModels: a.ollamaStore(),
	})
	return source.Mux{
		model.SchemePath: disk, model.SchemeDir: disk, model.SchemeFile: disk, model.SchemeHub: repositories, model.SchemeURL: repositories,
		model.SchemeOllama: registry, model.SchemeOCI: registry,
	}, offline, nil
}

// cache is the folder for what is fetched.
func (a *App) cache(setting string) string {
	switch setting {
	case "none":
		return ""
	case "":
		return a.CacheDir
	}
	return setting
}

// hosts are those that the user named on the command line or in a variable. Only these are asked beside the hub, and
// only these may lie in a private network; an address that a card holds leads nowhere.
func (a *App) hosts(asked []model.Ref) []string {
	var hosts []string
	add := func(host string) {
		if host != "" && !slices.Contains(hosts, host) {
			hosts = append(hosts, host)
		}
	}
	add(a.Getenv("LLMCHECK_OLLAMA_REGISTRY"))
	for _, ref := range asked {
		switch ref.Scheme {
		case model.SchemeURL:
			if u, err := url.Parse(ref.Name); err == nil {
				add(u.Host)
			}
		case model.SchemeOCI, model.SchemeOllama:
			if host, _, ok := strings.Cut(ref.Name, "/"); ok && strings.ContainsAny(host, ".:") || host == "localhost" {
				add(host)
			}
		}
	}
	for h := range strings.FieldsFuncSeq(a.Getenv("LLMCHECK_HOSTS"), func(r rune) bool { return r == ',' || r == ' ' }) {
		add(h)
	}
	return hosts
}

// proxySecrets are passwords in the addresses of proxies, which must never be printed.
func proxySecrets(getenv func(string) string) []string {
	var secrets []string
	for _, name := range []string{"HTTPS_PROXY", "https_proxy", "HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"} {
		u, err := url.Parse(getenv(name))
		if err != nil || u.User == nil {
			continue
		}
		if p, ok := u.User.Password(); ok {
			secrets = append(secrets, p)
		}
	}
	return secrets
}

// loopback reports whether a registry may be asked without TLS: only one on this machine.
func loopback(host string) bool {
	name, _, err := net.SplitHostPort(host)
	if err != nil {
		name = host
	}
	ip := net.ParseIP(strings.Trim(name, "[]"))
	return name == "localhost" || ip != nil && ip.IsLoopback()
}

// ollamaStore is the folder in which Ollama keeps models, if there is one.
func (a *App) ollamaStore() fs.FS {
	dir := a.Getenv("OLLAMA_MODELS")
	if dir == "" && a.Home != "" {
		dir = filepath.Join(a.Home, ".ollama", "models")
	}
	if dir == "" {
		return nil
	}
	root, err := os.OpenRoot(dir)
	if err != nil {
		return nil // there is no store, and the registry is asked
	}
	return root.FS()
}
