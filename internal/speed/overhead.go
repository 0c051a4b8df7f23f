package speed

// overheads are what an engine does beside the model. Where kernels are launched one by one and not from a graph, the
// host may be slower than the device.
func (m *Model) overheads(s *share, parts float64, c *costs) {
	w, r := m.work, &m.rates
	c[scheduler] += r.value[StepTime] * parts // each stage schedules each part
	c[layers] += float64(w.Layers) * r.value[LayerTime]
	for i := range m.products {
		c[layers] += float64(m.products[i].Layers) * r.value[ExpertTime]
	}
	c[sampler] += s.sampled() * float64(w.Vocab) * logitBytes / r.bandwidth
	c[perSequence] += s.sequence * r.value[SequenceTime]
	if m.in.class == "eager" || s.prompt > 0 && m.in.class == "graphs" {
		device, host := c.total(), float64(w.Layers)*r.value[LaunchTime]
		c[launches] += both(device, host) - device
	}
}

// logitBytes is what a sampler moves for each entry of the vocabulary: numbers of 32 bits, written once and read twice.
const logitBytes = 12
