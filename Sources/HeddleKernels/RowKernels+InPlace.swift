import CHeddleKernels

extension RowKernels {
    /// Replaces each value by its exp, by the kernels' polynomial: the same bits on every machine.
    public static func exponentiate(_ values: UnsafeMutableBufferPointer<Float>) {
        heddle_exp(values.baseAddress, values.baseAddress, Int64(values.count))
    }
}
