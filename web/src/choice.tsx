interface ChoiceProps {
  label: string;
  value: string;
  options: readonly (readonly string[])[];
  onChoice(value: string): void;
}

/** One of several, by name. */
export function Choice({ label, value, options, onChoice }: ChoiceProps) {
  return (
    <label>
      <span>{label}</span>
      <select value={value} onChange={(event) => onChoice(event.currentTarget.value)}>
        {options.map(([key = "", title]) => (
          <option key={key} value={key}>
            {title}
          </option>
        ))}
      </select>
    </label>
  );
}
