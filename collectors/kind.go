package collectors

// Builder makes the New of a Kind from a package's own constructor: it decodes the section over the defaults and builds the
// collector from the result.
func Builder[C interface{ Settings() Common }, T Collector](defaults func() C, build func(C, Env) (T, error)) func(Section, Env) (Collector, Common, error) {
	return func(section Section, env Env) (Collector, Common, error) {
		config := defaults()
		if err := section.Decode(&config); err != nil {
			return nil, Common{}, err
		}
		env, err := env.connected(config.Settings().HTTPClient)
		if err != nil {
			return nil, Common{}, err
		}
		built, err := build(config, env)
		if err != nil {
			return nil, Common{}, err
		}
		return built, config.Settings(), nil
	}
}

// Zero is the defaults of a Config whose zero value is complete.
func Zero[C any]() (zero C) { return zero }
