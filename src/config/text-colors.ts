type Paint = (text: string) => string;

/** The colours that texts for people are printed in; each does nothing where colour is off. */
export interface TextColors {
  bold: Paint;
  cyan: Paint;
  dim: Paint;
  green: Paint;
  red: Paint;
  yellow: Paint;
}
