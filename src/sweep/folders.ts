/** The folder that holds sweeps, where nobody says another. */
export const sweepsFolder = "sweeps";
/** The folder that holds experiments, likewise. */
export const experimentsFolder = "experiments";
