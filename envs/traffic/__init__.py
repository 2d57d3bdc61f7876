"""Traffic tasks on SUMO: car-following models, road networks, the simulator and the environments."""
