// Times of day and spans of time between people and files.

/** `8:30 AM`, `8 am`, `20:15` as `HH:MM`; anything else stays as it is, for the check to complain. */
export function time24(text: string): string {
  const [, hours, minutes = '00', half] = /^(\d{1,2})(?::(\d{2}))?\s*(am|pm)?$/i.exec(text.trim()) ?? [];
  if (hours === undefined || (half === undefined && !text.includes(':'))) return text;
  const pm = half?.toLowerCase();
  const hour = pm ? (Number(hours) % 12) + (pm === 'pm' ? 12 : 0) : Number(hours);
  return `${String(hour).padStart(2, '0')}:${minutes}`;
}

/** `08:30` as `8:30 AM`. */
export function time12(text: string): string {
  const [hour = NaN, minute = ''] = text.split(':').map((part, index) => (index ? part : Number(part))) as [
    number,
    string,
  ];
  if (!Number.isInteger(hour) || !/^\d{2}$/.test(minute)) return text;
  return `${hour % 12 || 12}:${minute} ${hour < 12 ? 'AM' : 'PM'}`;
}

const SPAN = { s: 's', m: ' min', h: ' h' } as const;
/** `5m` as `5 min`. */
export const spanText = (text: string): string =>
  text.replace(
    /^(\d+)([smh])$/,
    (_, n: string, unit: 's' | 'm' | 'h') => n + (unit === 's' ? ' s' : SPAN[unit]),
  );
