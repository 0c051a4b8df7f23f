package report

// cost is what the run costs, without people.
func (o *TrainingOutlook) cost() Section {
	c := o.Cost
	if c == nil {
		return Section{}
	}
	priced := &Cost{PerHour: c.PerHour, Prices: c.Prices}
	var fs facts
	fs.add("the whole run", dollars.about(given(c.Total)))
	fs.add("while it runs", join(", ", hourly(given(c.PerHour)), suffixed(dollars.between(given(c.PerGPUHr)), " a GPU-hour")))
	fs.add("a million tokens", dollars.about(given(c.PerMTok)))
	if c.Total != nil {
		fs.add("price", c.Basis)
	}
	fs.add("elsewhere", priced.Elsewhere())
	fs.add("owned instead", suffixed(dollars.between(given(c.BuyUSD)), " is the share of owning that the run takes"))
	fs.add("to be bought", dollars.between(given(c.Buying)))
	if len(fs) > 0 {
		fs.add("not included", c.NotIn)
		fs.add(note, c.Why)
		return Section{Title: "Cost", Facts: fs}
	}
	return Section{Title: "Cost", Unknown: c.Why}
}

// prices are what others take for the same plan.
func (o *TrainingOutlook) prices() Section {
	if o.Cost == nil {
		return Section{}
	}
	t := (&Cost{Prices: o.Cost.Prices}).PriceTable()
	for i, spare := range map[string]int{"offers": 4, "USD/month": 3, "prices of": 2, "USD/hour": 1} {
		t = t.spare(i, spare)
	}
	return Section{Title: "What each kind of seller takes", Table: t, Looked: true}
}

func (o *TrainingOutlook) owned() Section {
	if o.Cost == nil {
		return Section{}
	}
	return Section{Title: "A month of owning it", Table: (&Cost{Bought: o.Cost.Bought}).BoughtTable(), Looked: true}
}

// energy is the electricity of the run.
func (o *TrainingOutlook) energy() Section {
	e := o.Energy
	if e == nil {
		return Section{}
	}
	used := &Energy{PUE: e.PUE}
	var fs facts
	fs.add("power", suffixed(watts.between(given(e.Watts)), " with hosts, before PUE"))
	fs.add("the whole run", join(", ", kwHours.about(given(e.KWh)), carbonKg.between(given(e.Kg))))
	fs.add("of it for cooling", kwHours.between(given(e.Cooling)))
	fs.add("electricity", suffixed(dollars.between(given(e.Electricity)), ", part of owning and included in renting"))
	if len(fs) == 0 {
		return Section{Title: "Energy", Unknown: e.Why}
	}
	fs.add("data center", join(", ", prefixed("PUE ", used.effectiveness()), perKWh.between(some(e.Grid)), prefixed("grid: ", e.Place)))
	fs.add(note, e.Why)
	return Section{Title: "Energy", Facts: fs}
}

func (o *TrainingOutlook) powers() Section {
	if o.Energy == nil {
		return Section{}
	}
	return Section{Title: "What the power adds up from", Table: PartTable(o.Energy.Parts), Looked: true}
}
