namespace IndexOperator.Indexing;

/// <summary>Finds a number by its rank without sorting.</summary>
internal static class Selection
{
    /// <summary>The number that <paramref name="n"/> others come before when the largest comes first (Hoare's quickselect).</summary>
    /// <param name="numbers">The numbers, no NaN among them; reordered.</param>
    /// <param name="n">From 0 to one less than there are numbers.</param>
    public static double NthLargest(Span<double> numbers, int n)
    {
        var (low, high) = (0, numbers.Length - 1);
        while (low < high)
        {
            var pivot = numbers[(low + high) / 2];
            var (i, j) = (low, high);
            while (i <= j)
            {
                while (numbers[i] > pivot)
                {
                    i++;
                }

                while (numbers[j] < pivot)
                {
                    j--;
                }

                if (i <= j)
                {
                    (numbers[i], numbers[j]) = (numbers[j], numbers[i]);
                    (i, j) = (i + 1, j - 1);
                }
            }

            if (n > j && n < i)
            {
                break;
            }

            (low, high) = n <= j ? (low, j) : (i, high);
        }

        return numbers[n];
    }
}
